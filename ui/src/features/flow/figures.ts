/** What the overview of a flow shows, as values: bars and lines over time, and the figures above them. */

import type { FlowDurations } from "~/data/flow";
import type { Bucket } from "~/graph/state-histogram";
import { secondsOf } from "~/lib/times";

export const RANGES = ["all", "24h", "7d", "30d"] as const;
export type RangeName = (typeof RANGES)[number];

const DAY = 86_400;
/** Seconds of each; 0 for all runs that are looked at. */
export const RANGE_SECONDS: Record<RangeName, number> = { all: 0, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY };

export function rangeName(told: string): RangeName {
  return RANGES.includes(told as RangeName) ? (told as RangeName) : "all";
}

/** Bars that one picture has at most; where time has more of them, those without runs at its ends are left out. */
const MOST_BARS = 200;

/** One bar for each step of time, those without runs too, so that there is something to point at. */
export function barsOf(durations: FlowDurations): Bucket[] {
  const { step } = durations;
  const counted = new Map(durations.buckets.map((bucket) => [secondsOf(bucket.start), bucket.states]));
  const starts = [...counted.keys()];
  const last = Math.floor(secondsOf(durations.until) / step) * step;
  let first = Math.floor(secondsOf(durations.since) / step) * step;
  if ((last - first) / step > MOST_BARS) first = Math.min(...starts, last);
  const bars: Bucket[] = [];
  for (let start = first; start <= last && bars.length <= MOST_BARS; start += step)
    bars.push({ start, end: start + step, counts: counted.get(start) ?? {} });
  return bars;
}

type Points = [x: number, y: number | null][];

/** How long half of the runs took, and nineteen of twenty, at the middle of each step of time. */
export function linesOf(durations: FlowDurations): { p50: Points; p95: Points } {
  const half = durations.step / 2;
  const some = durations.buckets.filter((bucket) => bucket.p50 !== null);
  return {
    p50: some.map((bucket) => [secondsOf(bucket.start) + half, bucket.p50]),
    p95: some.map((bucket) => [secondsOf(bucket.start) + half, bucket.p95]),
  };
}

/** How many ended, and how many of those that ended by themselves went well. */
export function outcomesOf(durations: FlowDurations): { ended: number; good: number; of: number; failed: number } {
  let [ended, good, failed] = [0, 0, 0];
  for (const bucket of durations.buckets) {
    ended += bucket.count;
    failed += bucket.failures;
    good += bucket.states.completed ?? 0;
  }
  return { ended, good, failed, of: good + failed };
}

/** "per minute", "per 3 hours", "per day": how long a step is. */
export function stepTold(step: number): string {
  const units: [seconds: number, name: string][] = [
    [DAY, "day"],
    [3_600, "hour"],
    [60, "minute"],
    [1, "second"],
  ];
  const [seconds, unit] = units.find(([seconds]) => step % seconds === 0) ?? [1, "second"];
  const n = step / seconds;
  return n === 1 ? `per ${unit}` : `per ${n} ${unit}s`;
}
