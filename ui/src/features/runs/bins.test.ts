import { expect, test } from "vitest";
import { countsOfHistory, emptyBuckets, fill, stepFor, totals } from "./bins";

const HOUR = 3600;
const T0 = Date.parse("2026-11-23T00:00:00Z") / 1000;

test.each([
  [60, 60, 1, 1],
  [HOUR, 60, 1, 60],
  [HOUR, 72, HOUR, HOUR],
  [24 * HOUR, 72, HOUR, HOUR],
  [24 * HOUR, 30, 1, HOUR],
  [7 * 24 * HOUR, 72, HOUR, 3 * HOUR],
  [30 * 24 * HOUR, 72, HOUR, 12 * HOUR],
  [365 * 24 * HOUR, 72, 24 * HOUR, 7 * 24 * HOUR],
  [20 * 365 * 24 * HOUR, 72, 24 * HOUR, 102 * 24 * HOUR],
])("%i seconds in at most %i parts of at least %i have steps of %i", (seconds, most, least, step) => {
  expect(stepFor(seconds, most, least)).toBe(step);
});

test("buckets follow each other from the step that the first time lies in", () => {
  const buckets = emptyBuckets(T0 + 1800, T0 + 3 * HOUR, HOUR, 0);

  expect(buckets.map((bucket) => [bucket.start - T0, bucket.end - T0])).toEqual([
    [0, HOUR],
    [HOUR, 2 * HOUR],
    [2 * HOUR, 3 * HOUR],
  ]);
});

test("days are those of whoever looks", () => {
  const [first] = emptyBuckets(T0, T0 + 1, 24 * HOUR, 5.5 * HOUR);

  expect(first?.start).toBe(T0 - 5.5 * HOUR);
});

test("counts go where their time lies, and nowhere where it lies outside", () => {
  const buckets = fill(emptyBuckets(T0, T0 + 2 * HOUR, HOUR, 0), [
    [T0, "FAILED", 1],
    [T0 + HOUR - 1, "FAILED", 2],
    [T0 + HOUR, "COMPLETED", 4],
    [T0 - 1, "FAILED", 100],
    [T0 + 2 * HOUR, "FAILED", 100],
  ]);

  expect(buckets.map((bucket) => bucket.counts)).toEqual([{ FAILED: 3 }, { COMPLETED: 4 }]);
  expect(totals(buckets)).toEqual({ FAILED: 3, COMPLETED: 4 });
  expect(fill([], [[T0, "FAILED", 1]])).toEqual([]);
});

test("of the server's buckets only the states that are asked for count", () => {
  const history = [{ start: "2026-11-23T00:00:00Z", runs: { completed: 3, failed: 1 } }];

  expect([...countsOfHistory(history, [])]).toEqual([
    [T0, "COMPLETED", 3],
    [T0, "FAILED", 1],
  ]);
  expect([...countsOfHistory(history, ["FAILED"])]).toEqual([[T0, "FAILED", 1]]);
});
