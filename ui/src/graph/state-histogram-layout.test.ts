import { expect, test } from "vitest";
import { bucketAt, layOut, pixelAt, roundUp, sumOf } from "./state-histogram-layout";
import type { Bucket } from "./state-histogram-layout";

const hours = (...counts: Record<string, number>[]): Bucket[] =>
  counts.map((one, n) => ({ start: n * 3600, end: (n + 1) * 3600, counts: one }));

test("no buckets are no bars", () => {
  expect(layOut([], 800, 100)).toEqual({ from: 0, to: 0, most: 0, bars: [] });
  expect(bucketAt(layOut([], 800, 100), 40)).toBe(-1);
});

test("one bucket has all the width, and states stand in the order of their table with the finished ones below", () => {
  const { bars } = layOut(hours({ completed: 6, failed: 2, running: 2 }), 200, 100);

  expect(bars).toHaveLength(1);
  expect(bars[0]!.width).toBe(199);
  expect(bars[0]!.parts.map((part) => [part.state, part.top, part.height])).toEqual([
    ["RUNNING", 0, 20],
    ["FAILED", 20, 20],
    ["COMPLETED", 40, 60],
  ]);
});

test("a bar is as tall as its runs are many", () => {
  const { bars, most } = layOut(hours({ completed: 100 }, { completed: 50 }, {}), 300, 80);

  expect(most).toBe(100);
  expect(bars.map((bar) => bar.parts.reduce((sum, part) => sum + part.height, 0))).toEqual([80, 40, 0]);
});

test("one failure among ten thousand is seen, and the bar is no taller for it", () => {
  const [bar] = layOut(hours({ COMPLETED: 9_999, FAILED: 1 }), 300, 80).bars;

  expect(bar!.parts.map((part) => part.height)).toEqual([2, 78]);
});

test("one run beside an hour of ten thousand is seen", () => {
  const { bars } = layOut(hours({ COMPLETED: 10_000 }, { CRASHED: 1 }), 300, 80);

  expect(bars[1]!.parts).toEqual([{ state: "CRASHED", count: 1, top: 78, height: 2 }]);
});

test("750 buckets fill the width without gaps or overlaps", () => {
  const { bars } = layOut(
    Array.from({ length: 750 }, (_, n) => ({ start: n * 3600, end: (n + 1) * 3600, counts: { completed: n } })),
    1_000,
    80,
  );

  expect(bars[0]!.left).toBe(0);
  expect(bars.at(-1)!.left + bars.at(-1)!.width).toBe(1_000);
  for (const [n, bar] of bars.slice(1).entries()) expect(bar.left).toBe(bars[n]!.left + bars[n]!.width);
});

test("buckets of different lengths are as wide as they are long", () => {
  const day: Bucket[] = [
    { start: 0, end: 23 * 3600, counts: {} },
    { start: 23 * 3600, end: 48 * 3600, counts: {} },
  ];

  expect(layOut(day, 480, 80).bars.map((bar) => [bar.left, bar.width])).toEqual([
    [0, 229],
    [230, 249],
  ]);
});

test("a pixel leads to its bucket, and to the nearest where there is none", () => {
  const layout = layOut(
    [
      { start: 0, end: 10, counts: {} },
      { start: 20, end: 30, counts: {} },
    ],
    300,
    80,
  );

  expect([0, 99, 140, 160, 250, 900, -5].map((x) => bucketAt(layout, x))).toEqual([0, 0, 0, 1, 1, 1, 0]);
  expect(pixelAt(layout, 15, 300)).toBe(150);
  expect(pixelAt(layout, 99, 300)).toBe(300);
});

test("the axis ends at a number that is good to read", () => {
  expect([0, 0.2, 1, 3, 7, 11, 21, 99, 2_001].map(roundUp)).toEqual([0, 1, 1, 3, 8, 15, 25, 100, 2_500]);
});

test("all buckets together", () => {
  expect(sumOf(hours({ failed: 1 }, { failed: 2, completed: 3 }))).toEqual({ failed: 3, completed: 3 });
});
