/** The attempts of a run as rows. */

import type { Shapes } from "~/lib/http";

type Late = Shapes["SupersededShape"];

export interface AttemptRow {
  attempt: number;
  /** "" where nothing is recorded but what came too late. */
  state: string;
  stateName: string;
  message: string;
  started: string | null;
  ended: string | null;
  isNewest: boolean;
  /** What processes that had lost this attempt still said. */
  late: Late[];
}

/** Attempts, the newest first, each with what came too late of it. */
export function attemptRows(
  attempts: readonly Shapes["AttemptShape"][],
  late: readonly Late[],
  run: string,
): AttemptRow[] {
  const rows = new Map<number, AttemptRow>();
  const row = (attempt: number): AttemptRow => {
    const known = rows.get(attempt);
    if (known) return known;
    const made = {
      attempt,
      state: "",
      stateName: "",
      message: "",
      started: null,
      ended: null,
      isNewest: false,
      late: [],
    };
    rows.set(attempt, made);
    return made;
  };
  for (const one of attempts) {
    const { attempt, state, state_name: stateName, message, started, ended } = one;
    Object.assign(row(attempt), { state, stateName, message, started, ended });
  }
  // Of flow runs below, at the attempt of the run that they belonged to.
  for (const one of late) row(one.attempt).late.push(one);
  const found = [...rows.values()].sort((a, b) => b.attempt - a.attempt);
  for (const one of found) one.late.sort((a, b) => Number(b.run === run) - Number(a.run === run));
  const newest = found.find((one) => one.state);
  if (newest) newest.isNewest = true;
  return found;
}
