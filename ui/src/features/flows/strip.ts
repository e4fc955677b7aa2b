/** The newest runs of a flow as bars: how high each is, and the sentence that says the same. */

import { stateOf, tookOf } from "~/data/flow-list";
import type { Outcome } from "~/data/flow-list";
import { count } from "~/lib/numbers";
import { countsInOrder, lookOf } from "~/lib/state";

/** Parts of the height that the lowest bar has: one that took no time is seen too. */
const LEAST = 0.3;

/** How high each bar is, from 0 to 1: the longest is 1. By the root, so that one that took very long leaves the rest to be seen. */
export function heightsOf(outcomes: readonly Outcome[], now: number): number[] {
  const took = outcomes.map((one) => tookOf(one, now));
  const longest = Math.max(...took);
  return took.map((seconds) => (longest > 0 ? LEAST + (1 - LEAST) * Math.sqrt(seconds / longest) : 1));
}

/** "Newest 3 runs: 2 completed, 1 failed". */
export function stripTold(outcomes: readonly Outcome[]): string {
  const counts: Record<string, number> = {};
  for (const one of outcomes) counts[stateOf(one)] = (counts[stateOf(one)] ?? 0) + 1;
  const told = countsInOrder(counts).map(([state, n]) => `${count(n)} ${lookOf(state).label.toLowerCase()}`);
  return `Newest ${outcomes.length === 1 ? "run" : `${outcomes.length} runs`}: ${told.join(", ")}`;
}
