/** How many runs were made when: steps of time, and counts in them. */

import type { Run } from "~/data/run-list";
import type { Bucket } from "~/graph/state-histogram";
import { secondsOf } from "~/lib/times";

const SECOND = 1;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** Steps that are easy to read, in seconds. */
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 4, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 28].map((n) => n * DAY),
];

/** The shortest step of at least `least` seconds by which a time has at most `most` parts. */
export function stepFor(seconds: number, most: number, least = 1): number {
  return STEPS.find((step) => step >= least && step * most >= seconds) ?? Math.ceil(seconds / most / DAY) * DAY;
}

/** Empty buckets from the step in which `from` lies up to `to`. `offset`: seconds by which the zone is before UTC. */
export function emptyBuckets(from: number, to: number, step: number, offset: number): Bucket[] {
  const buckets: Bucket[] = [];
  for (let start = Math.floor((from + offset) / step) * step - offset; start < to; start += step)
    buckets.push({ start, end: start + step, counts: {} });
  return buckets;
}

/** Put counts into buckets that follow each other by one step; those outside of all are left out. */
export function fill(
  buckets: readonly Bucket[],
  counts: Iterable<readonly [time: number, state: string, n: number]>,
): readonly Bucket[] {
  const first = buckets[0];
  if (!first) return buckets;
  const step = first.end - first.start;
  for (const [time, state, n] of counts) {
    const bucket = buckets[Math.floor((time - first.start) / step)];
    if (bucket) bucket.counts[state] = (bucket.counts[state] ?? 0) + n;
  }
  return buckets;
}

/** Runs as counts. */
export function* countsOfRuns(runs: readonly Run[]): Iterable<[number, string, number]> {
  for (const run of runs) yield [secondsOf(run.created), run.state, 1];
}

/** The server's buckets as counts; only those of some states, unless none are named. */
export function* countsOfHistory(
  history: readonly { start: string; runs: Record<string, number> }[],
  states: readonly string[],
): Iterable<[number, string, number]> {
  for (const { start, runs } of history)
    for (const [state, n] of Object.entries(runs)) {
      const name = state.toUpperCase();
      if (!states.length || states.includes(name)) yield [secondsOf(start), name, n];
    }
}

/** All counts together. */
export function totals(buckets: readonly Bucket[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { counts } of buckets) for (const [state, n] of Object.entries(counts)) sum[state] = (sum[state] ?? 0) + n;
  return sum;
}
