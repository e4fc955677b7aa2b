/** Every URL of the UI. The first part of each path stands in `server/static.py` too, which answers with the page there. */

export const TABS = ["timeline", "graph", "tasks", "logs", "artifacts", "metrics", "attempts", "why"] as const;
export type Tab = (typeof TABS)[number];

type Search = Record<string, string | number | readonly string[] | undefined>;

function withSearch(path: string, search: Search = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value === undefined || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

const part = encodeURIComponent;

export const paths = {
  home: (search?: Search) => withSearch("/", search),
  runs: (search?: Search) => withSearch("/runs", search),
  run: (run: string, tab?: Tab, search?: Search) =>
    withSearch(tab ? `/runs/${part(run)}/${tab}` : `/runs/${part(run)}`, search),
  compare: (runs: readonly string[]) => withSearch("/compare", { run: runs }),
  flows: (search?: Search) => withSearch("/flows", search),
  flow: (flow: string, search?: Search) => withSearch(`/flows/${part(flow)}`, search),
  login: () => "/login",
  settings: () => "/settings",
  users: () => "/users",
  keys: () => "/keys",
  audit: (search?: Search) => withSearch("/audit", search),
  storage: () => "/storage",
};

/** Where the UI lies: the path of `<base>`, without the slash at its end. */
export const basePath = new URL(".", document.baseURI).pathname.replace(/\/$/, "");

/** A path of the UI or of the API as the browser asks for it. */
export function below(path: string): string {
  return basePath + path;
}
