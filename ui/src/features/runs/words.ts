/** What the list says of a run, in few words. */

import type { Run } from "~/data/run-list";

/** Characters of one value, and of all of them. */
const VALUE = 40;
const ALL = 160;

/** "rows=500 source=warehouse": those that are not `null`, short. */
export function parametersTold(run: Run): string {
  let text = "";
  for (const [name, value] of Object.entries(run.parameters ?? {})) {
    if (value === null || text.length > ALL) continue;
    text += `${text ? "  " : ""}${cut(name, VALUE)}=${cut(typeof value === "string" ? value : JSON.stringify(value), VALUE)}`;
  }
  return text;
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** What its state says, where that is worth a look. */
export function messageOf(run: Run): string {
  return run.state === "COMPLETED" ? "" : run.message;
}

/** How many of its task runs are done, and how many there are; `undefined` where there are none. */
export function tasksDone(run: Run): { done: number; all: number } | undefined {
  let [done, all] = [0, 0];
  for (const [state, n] of Object.entries(run.tasks)) {
    all += n;
    if (state.toUpperCase() === "COMPLETED") done += n;
  }
  return all ? { done, all } : undefined;
}
