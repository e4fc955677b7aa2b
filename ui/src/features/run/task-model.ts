/** Task runs and how they hang together. */

import type { TaskRow } from "~/data/tasks";
import { isFinal } from "~/lib/state";

/** Those that took the outcome of a task run, or wait for it. */
export function takersOf(rows: readonly TaskRow[], id: string): TaskRow[] {
  return rows.filter((row) => row.upstream.includes(id));
}

/** Ids of all that hang from a task run, over every step; without itself. Rows stand in the order of their making. */
export function allTakers(rows: readonly TaskRow[], id: string): Set<string> {
  // What takes an outcome is made after what gave it, so that one pass is enough.
  const found = new Set([id]);
  for (const row of rows) if (row.upstream.some((one) => found.has(one))) found.add(row.id);
  found.delete(id);
  return found;
}

/**
 * What went wrong first, then what ran, the newest first: what somebody would run again. Of task runs that took each
 * other's place only the last.
 */
export function toRunAgain(rows: readonly TaskRow[], text: string): TaskRow[] {
  const wanted = text.trim().toLowerCase();
  const rank = (row: TaskRow) => (row.state === "FAILED" || row.state === "CRASHED" ? (row.started ? 0 : 1) : 2);
  const replaced = new Set<string>();
  const found: TaskRow[] = [];
  for (const row of [...rows].reverse()) {
    const place = `${row.run} ${row.name}`;
    if (
      !replaced.has(place) &&
      isFinal(row.state) &&
      (!wanted || `${row.name} ${row.id}`.toLowerCase().includes(wanted))
    )
      found.push(row);
    if (row.reason) replaced.add(place);
  }
  return found.sort((one, other) => rank(one) - rank(other));
}

/** The task run before or after another, in the order of their making; itself at the ends. */
export function beside(rows: readonly TaskRow[], id: string, step: 1 | -1): string {
  const at = rows.findIndex((row) => row.id === id);
  return at < 0 ? (rows[0]?.id ?? id) : rows[Math.max(0, Math.min(rows.length - 1, at + step))]!.id;
}

/** The task run that took the place of one that had completed and was run again: it bears its name, and a reason. */
export function newerOf(rows: readonly TaskRow[], one: { id: string; name: string; run: string }): TaskRow | undefined {
  return rows.findLast((row) => row.name === one.name && row.run === one.run && row.reason !== "" && row.id > one.id);
}

/** Why a task run did not compute what it has; "" where it did, or ran again for no reason that is told. */
export function reuseTold(row: { stateName: string; reason: string; message: string; attempt: number }): string {
  if (row.stateName === "Cached") return row.message || "Its outcome was taken from the cache.";
  return row.reason ? `It ran again: ${row.reason}.` : "";
}

/** Seconds between being accepted and starting; up to now for one that waits still. */
export function waited(row: Pick<TaskRow, "created" | "started" | "state">, now: number): number {
  if (!row.created) return 0;
  if (!row.started && isFinal(row.state)) return 0;
  return Math.max(0, (row.started || now) - row.created);
}
