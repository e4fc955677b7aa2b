/** Entries of the audit log as they are read. */

import type { Entry } from "./api";

/** Whether somebody was not let. */
export function wasRefused(entry: Pick<Entry, "status">): boolean {
  return entry.status >= 400;
}

const WAYS: Record<string, string> = {
  install: "the install token",
  key: "a key",
  session: "a login",
  "": "",
};

/** Who it was, and by what they were known: "asha by a login". */
export function whoBy(entry: Pick<Entry, "who" | "how">): string {
  const way = WAYS[entry.how] ?? entry.how;
  const who = entry.who || "somebody unknown";
  return way ? `${who} by ${way}` : who;
}

/** "add_user" as words: "add user". */
export function actionWords(action: string): string {
  return action.replaceAll("_", " ");
}

/** What else is told, as `name: value` pairs in one line; "" for nothing. */
export function detailLine(detail: unknown): string {
  if (detail === null || typeof detail !== "object") return "";
  return Object.entries(detail)
    .filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" · ");
}

/** One entry a line, as JSON. */
export function asLines(entries: readonly Entry[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
}
