/** Metrics of one run as series: what the server read and thinned out, and what the live stream told since. */

import type { MetricNews } from "~/lib/live";
import { secondsOf } from "~/lib/times";

export interface MetricPoint {
  /** `null` where it was logged without one that counts. */
  step: number | null;
  /** `null` where it was not a finite number. */
  value: number | null;
  /** Unix seconds. */
  at: number;
}

export interface MetricSeries {
  key: string;
  /** How many values there are; of many, fewer are points. */
  count: number;
  smallest: number | null;
  largest: number | null;
  mean: number | null;
  last: number | null;
  /** In the order in which they were logged. Not to be changed. */
  points: readonly MetricPoint[];
}

/** Points of a series that are kept while it grows, and those that stay of more. */
export const MOST_POINTS = 4_000;
const FEWER_POINTS = 2_000;

export function seriesOf(told: Omit<MetricSeries, "points"> & { points: readonly unknown[] }): MetricSeries {
  return {
    key: told.key,
    count: told.count,
    smallest: told.smallest,
    largest: told.largest,
    mean: told.mean,
    last: told.last,
    points: (told.points as [number | null, number | null, string | null][]).map(([step, value, at]) => ({
      step,
      value,
      at: secondsOf(at),
    })),
  };
}

/** A series and what was logged after it. */
export function joined(before: MetricSeries | undefined, after: MetricSeries): MetricSeries {
  if (!before) return after;
  const count = before.count + after.count;
  const points = [...before.points, ...after.points];
  return {
    key: after.key,
    count,
    smallest: lesser(before.smallest, after.smallest),
    largest: negated(lesser(negated(before.largest), negated(after.largest))),
    mean:
      before.mean === null || after.mean === null
        ? (after.mean ?? before.mean)
        : before.mean + (after.mean - before.mean) * (after.count / count),
    last: after.last,
    points: points.length > MOST_POINTS ? thinned(points, FEWER_POINTS) : points,
  };
}

function lesser(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}

function negated(value: number | null): number | null {
  return value === null ? null : -value;
}

/** Values that the stream told, in order, as series by key. */
export function seriesOfNews(news: readonly MetricNews[]): MetricSeries[] {
  const points = new Map<string, MetricPoint[]>();
  for (const { key, step, value, at } of news) {
    const point = { step, value, at: secondsOf(at) };
    const known = points.get(key);
    if (known) known.push(point);
    else points.set(key, [point]);
  }
  return [...points].map(([key, all]) => {
    const finite = all.flatMap((point) => (point.value === null ? [] : [point.value]));
    return {
      key,
      count: all.length,
      smallest: finite.reduce<number | null>(lesser, null),
      largest: negated(finite.map((value) => -value).reduce<number | null>(lesser, null)),
      mean: finite.length ? finite.reduce((sum, value) => sum + value, 0) / finite.length : null,
      last: all.at(-1)!.value,
      points: all,
    };
  });
}

/**
 * At most `most` points that show the shape of all: the first, the last, and of each stretch the extremes, or one that
 * is no number.
 */
export function thinned(points: readonly MetricPoint[], most: number): readonly MetricPoint[] {
  if (points.length <= most) return points;
  const inner = points.length - 2;
  const stretches = Math.max(1, Math.floor((most - 2) / 2));
  const chosen = [0];
  for (let number = 0; number < stretches; number += 1) {
    const start = 1 + Math.floor((inner * number) / stretches);
    const end = 1 + Math.floor((inner * (number + 1)) / stretches);
    let [low, high, gap] = [-1, -1, -1];
    for (let at = start; at < end; at += 1) {
      const value = points[at]!.value;
      if (value === null) gap = gap < 0 ? at : gap;
      else {
        if (low < 0 || value < points[low]!.value!) low = at;
        if (high < 0 || value > points[high]!.value!) high = at;
      }
    }
    const found = [...new Set(gap < 0 ? [low, high] : [gap, high])].filter((at) => at >= 0);
    chosen.push(...found.sort((a, b) => a - b));
  }
  chosen.push(points.length - 1);
  return chosen.map((at) => points[at]!);
}
