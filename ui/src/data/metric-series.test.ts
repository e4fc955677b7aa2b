import { describe, expect, test } from "vitest";
import { GROUPINGS, groupsOf, placed, smoothed } from "./metric-charts";
import { MOST_POINTS, joined, seriesOf, seriesOfNews, thinned } from "./metric-series";
import type { MetricPoint } from "./metric-series";
import { MetricTable } from "./metric-table";

const news = (number: number, value: number | null, key = "loss") => ({
  key,
  value,
  step: number,
  at: "2026-11-23T10:00:00Z",
  run: "r",
  task: null,
  number,
});
const point = (step: number, value: number | null): MetricPoint => ({ step, value, at: step });

describe("series", () => {
  test("of two pieces have the count, extremes and mean of all values, thinned out or not", () => {
    const read = seriesOf({
      key: "loss",
      count: 9,
      smallest: 1,
      largest: 5,
      mean: 2,
      last: 3,
      points: [[0, 1, "2026-11-23T10:00:00Z"]],
    });
    const both = joined(read, seriesOfNews([news(9, 12)])[0]!);
    expect({ ...both, points: both.points.length }).toEqual({
      key: "loss",
      count: 10,
      smallest: 1,
      largest: 12,
      mean: 3,
      last: 12,
      points: 2,
    });
  });
  test("of values that are no numbers have no extremes, and one that is counts", () => {
    const [none] = seriesOfNews([news(1, null)]);
    expect([none!.smallest, none!.largest, none!.mean, none!.last]).toEqual([null, null, null, null]);
    expect(joined(none, seriesOfNews([news(2, -4)])[0]!).largest).toBe(-4);
  });
  test("that grow for ever keep a bounded number of points", () => {
    let series = seriesOfNews([news(0, 0)])[0]!;
    for (let n = 1; n < 30; n += 1) series = joined(series, seriesOfNews(Array.from({ length: 500 }, (_, i) => news(n * 500 + i, i)))[0]!); // prettier-ignore
    expect(series.points.length).toBeLessThanOrEqual(MOST_POINTS);
    expect(series.count).toBe(14_501);
  });
});

describe("thinning out", () => {
  test("keeps ends, extremes and gaps", () => {
    const points = Array.from({ length: 1000 }, (_, n) => point(n, Math.sin(n / 50)));
    points[333] = point(333, 100);
    points[777] = point(777, null);
    const few = thinned(points, 50);
    expect(few.length).toBeLessThanOrEqual(50);
    expect([few[0]!.step, few.at(-1)!.step]).toEqual([0, 999]);
    expect(few.some((one) => one.value === 100) && few.some((one) => one.value === null)).toBe(true);
    expect(few.every((one, n) => n === 0 || one.step! > few[n - 1]!.step!)).toBe(true);
  });
});

describe("a table of metrics", () => {
  test("takes what the stream tells once, by its number", () => {
    const table = new MetricTable();
    table.take(seriesOfNews([news(1, 1), news(2, 2)]), 7);
    table.hear([news(6, 9), news(7, 9), news(8, 3)]);
    table.hear([news(8, 3)]);
    expect(table.series("loss")!.points.map((one) => one.value)).toEqual([1, 2, 3]);
    expect(table.keys()).toEqual(["loss"]);
  });
});

describe("charts", () => {
  const keys = ["train/loss", "train/acc", "val/loss", "lr", "/odd", "odd/"];
  const titles = GROUPINGS.map((grouping) => groupsOf(keys, grouping).map((group) => group.title));
  test("hold metrics of one prefix, one name, or each its own; one alone is called by its whole name", () => {
    expect(titles[0]).toEqual(["train", "val/loss", "lr", "/odd", "odd/"]);
    expect(titles[1]).toEqual(["loss", "train/acc", "lr", "/odd", "odd/"]);
    expect(titles[2]).toEqual(keys);
    expect(groupsOf(keys, "name")[0]!.metrics.map((one) => one.label)).toEqual(["train", "val"]);
  });
  test("leave values without a step out of an axis of steps, and put others in order", () => {
    const series = { ...seriesOfNews([news(1, 1)])[0]!, points: [point(3, 1), { ...point(9, 2), step: null }, point(1, 5)] }; // prettier-ignore
    expect(placed(series, "step", 0)).toEqual([[1, 5], [3, 1]]); // prettier-ignore
    expect(placed(series, "elapsed", 1).map(([x]) => x)).toEqual([0, 2, 8]);
  });
  test("smooth a constant to itself, lag behind a jump, and leave gaps and weight 0 as they are", () => {
    expect(smoothed([[0, 5], [1, 5], [2, 5]], 0.9).map(([, y]) => y)).toEqual([5, 5, 5].map((y) => expect.closeTo(y))); // prettier-ignore
    const [, gap, jump] = smoothed([[0, 0], [1, null], [2, 10]], 0.5); // prettier-ignore
    expect(gap).toEqual([1, null]);
    expect(jump![1]).toBeCloseTo(20 / 3);
    const points = [[0, 1]] as const;
    expect(smoothed(points, 0)).toBe(points);
  });
});
