/** From counts by time to bars: which pixels each state of each bucket takes. */

import { countsInOrder } from "~/lib/state";
import type { State } from "~/lib/state";

/** What was counted between two times, in Unix seconds. Keys are states, in any case. */
export interface Bucket {
  start: number;
  end: number;
  counts: Record<string, number>;
}

export interface Part {
  state: State;
  count: number;
  top: number;
  height: number;
}

export interface Bar {
  left: number;
  width: number;
  total: number;
  /** From top to bottom, in the order of the table of states. */
  parts: Part[];
}

export interface HistogramLayout {
  from: number;
  to: number;
  /** What the full height stands for. */
  most: number;
  bars: Bar[];
}

/** Pixels that the smallest part still has, so that one failure among thousands is seen. */
const LEAST = 2;

/** Lay buckets out within so many pixels. They come in order and do not overlap; there may be time between them. */
export function layOut(buckets: readonly Bucket[], width: number, height: number): HistogramLayout {
  const from = buckets[0]?.start ?? 0;
  const to = buckets.at(-1)?.end ?? 0;
  const counted = buckets.map((bucket) => countsInOrder(bucket.counts));
  const totals = counted.map((counts) => counts.reduce((sum, [, n]) => sum + n, 0));
  const most = roundUp(Math.max(0, ...totals));
  const scale = to > from ? width / (to - from) : 0;
  const bars = buckets.map((bucket, n) => {
    const left = Math.round((bucket.start - from) * scale);
    const right = Math.round((bucket.end - from) * scale);
    // A pixel between bars, where there is room for one.
    const room = right - left;
    const total = totals[n]!;
    const tall = most ? Math.round((height * total) / most) : 0;
    return {
      left,
      width: Math.max(1, room > 3 ? room - 1 : room),
      total,
      parts: stack(counted[n]!, total, tall, height),
    };
  });
  return { from, to, most, bars };
}

function stack(counts: [State, number][], total: number, tall: number, height: number): Part[] {
  const heights = counts.map(([, n]) => Math.max(LEAST, Math.round((tall * n) / total)));
  // What was rounded up is taken from the tallest, and a bar grows only where even that is not enough.
  for (let over = heights.reduce((sum, one) => sum + one, 0) - tall; over > 0; over -= 1) {
    const tallest = heights.indexOf(Math.max(...heights));
    if (heights[tallest]! <= LEAST) break;
    heights[tallest]! -= 1;
  }
  let top = height - heights.reduce((sum, one) => sum + one, 0);
  return counts.map(([state, count], n) => {
    const part = { state, count, top, height: heights[n]! };
    top += part.height;
    return part;
  });
}

/** The next whole number that is good to read off an axis: 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, ... */
export function roundUp(value: number): number {
  if (value <= 0) return 0;
  const size = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((one) => one * size >= value && Number.isInteger(one * size));
  return Math.max(1, (step ?? 10) * size);
}

/** The bucket at a pixel: the one it lies in, else the nearest; -1 where there are none. */
export function bucketAt(layout: HistogramLayout, x: number): number {
  const { bars } = layout;
  let low = 0;
  let high = bars.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (bars[middle]!.left <= x) low = middle;
    else high = middle - 1;
  }
  const [bar, next] = [bars[low], bars[low + 1]];
  if (bar && next && x > bar.left + bar.width && next.left - x < x - (bar.left + bar.width)) return low + 1;
  return high < 0 ? -1 : low;
}

/** The pixel at a time. */
export function pixelAt(layout: HistogramLayout, time: number, width: number): number {
  const span = layout.to - layout.from;
  return span > 0 ? Math.max(0, Math.min(width, ((time - layout.from) / span) * width)) : 0;
}

/** Counts of all buckets together. */
export function sumOf(buckets: readonly Bucket[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { counts } of buckets) {
    for (const [state, n] of Object.entries(counts)) sum[state] = (sum[state] ?? 0) + n;
  }
  return sum;
}
