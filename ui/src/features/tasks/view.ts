/** What the table of tasks shows, as the URL says it. */

import { useSearch } from "~/lib/search";
import { KEYS, ONLY } from "./arranging";
import type { Key, Only, TasksView } from "./arranging";

export function useTasksView() {
  const search = useSearch();
  const view = (): TasksView => {
    const sort = search.one("sort");
    const key = sort.replace(/^-/, "") as Key;
    return {
      text: search.one("text"),
      states: search.all("state"),
      name: search.one("name"),
      only: ONLY.find((one) => one === search.one("only")) ?? "",
      sort: KEYS.includes(key) ? key : "",
      descending: sort.startsWith("-"),
      grouped: search.one("group") === "1",
      turned: new Set(search.all("turn")),
    };
  };
  return {
    view,
    set: (change: Partial<TasksView>) => {
      const now = { ...view(), ...change };
      search.set({
        text: now.text || undefined,
        state: [...now.states],
        name: now.name || undefined,
        only: now.only || undefined,
        sort: now.sort || now.descending ? `${now.descending ? "-" : ""}${now.sort}` : undefined,
        group: now.grouped ? "1" : undefined,
        turn: now.grouped ? [...now.turned] : [],
      });
    },
    clear: () =>
      search.set({ text: undefined, state: undefined, name: undefined, only: undefined satisfies Only | undefined }),
    /** The task run whose panel is open. */
    chosen: () => search.one("task"),
    choose: (id: string) => search.set({ task: id }, { push: true }),
  };
}
