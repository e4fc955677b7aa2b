/** Task runs by a part of their name. */

import type { TaskRow } from "~/data/tasks";

/** The first rows whose name holds a text; those that went wrong come first where nothing is written. */
export function matching(rows: readonly TaskRow[], text: string, most: number): TaskRow[] {
  const wanted = text.trim().toLowerCase();
  const fits = (row: TaskRow) => !wanted || row.name.toLowerCase().includes(wanted);
  const first: TaskRow[] = [];
  const rest: TaskRow[] = [];
  for (const row of rows) {
    if (!fits(row)) continue;
    if (row.state === "FAILED" || row.state === "CRASHED" || row.state === "RUNNING") first.push(row);
    else if (rest.length < most) rest.push(row);
    if (first.length === most) break;
  }
  return [...first, ...rest].slice(0, most);
}
