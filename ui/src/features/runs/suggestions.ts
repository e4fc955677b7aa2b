/** What is offered to choose from: what the runs have that are there. */

import type { Run } from "~/data/run-list";

/** Runs that are looked at, and things that are offered. */
const LOOKED_AT = 500;
const OFFERED = 15;

/** Tags, the one that most runs have first. */
export function tagsOf(runs: readonly Run[]): string[] {
  return mostOf(runs, (run) => run.tags);
}

export function parameterNames(runs: readonly Run[]): string[] {
  return mostOf(runs, (run) => Object.keys(run.parameters ?? {}));
}

function mostOf(runs: readonly Run[], of: (run: Run) => readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const run of runs.slice(0, LOOKED_AT)) for (const one of of(run)) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts.entries()]
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, OFFERED)
    .map(([one]) => one);
}
