import { describe, expect, test } from "vitest";
import type { MetricSeries } from "~/data/metric-series";
import { figuresOf, fitting, linesOf, namesOf, rangeOf, rangeText, shownOf, sortedFigures } from "./model";
import type { Source } from "./model";

const series = (key: string, ...values: number[]): MetricSeries => ({
  key,
  count: values.length,
  smallest: values.length ? Math.min(...values) : null,
  largest: values.length ? Math.max(...values) : null,
  mean: null,
  last: values.at(-1) ?? null,
  points: values.map((value, step) => ({ step, value, at: step })),
});
const source = (id: string, ...all: MetricSeries[]): Source => ({
  id,
  name: `run-${id}`,
  started: 0,
  series: (key) => all.find((one) => one.key === key),
});
const shown = shownOf(() => "");
const group = { title: "loss", metrics: [{ key: "loss/a", label: "a" }, { key: "loss/b", label: "b" }] }; // prettier-ignore

describe("what the URL says", () => {
  test("means nothing where it is odd", () => {
    const told: Record<string, string> = { by: "x", x: "y", smooth: "7", range: "9..1", view: "?" };
    expect(shownOf((name) => told[name] ?? "")).toEqual(shown);
    expect(["", "1", "1..", "a..b", "1..2..3", "2..1"].map(rangeOf)).toEqual(Array(6).fill(undefined));
  });
  test("holds the part of the axis that is shown, there and back", () => {
    expect(rangeOf(rangeText([-0.5, 1e6])!)).toEqual([-0.5, 1e6]);
    expect(rangeText(undefined)).toBeUndefined();
  });
});

test("metrics are found by all words of the filter, in any case", () => {
  expect(fitting(["train/Loss", "val/loss", "lr"], "LOSS va")).toEqual(["val/loss"]);
});

test("runs of one name are told apart by the ends of their ids", () => {
  expect(namesOf([{ id: "0000aaaaaa", name: "x" }, { id: "0000bbbbbb", name: "x" }, { id: "1", name: "y" }])).toEqual(["x aaaaaa", "x bbbbbb", "y"]); // prettier-ignore
});

describe("lines", () => {
  test("of one run have a colour and a dash each", () => {
    const lines = linesOf(group, [source("1", series("loss/a", 1), series("loss/b", 2))], shown);
    expect(lines.map((line) => [line.label, line.look!.colour])).toEqual([["a", "--series-1"], ["b", "--series-2"]]); // prettier-ignore
  });
  test("of several runs have the colour of their run and the dash of their metric; who lacks one has no line", () => {
    const lines = linesOf(group, [source("1", series("loss/a", 1)), source("2", series("loss/a", 2), series("loss/b", 3))], shown); // prettier-ignore
    expect(lines.map((line) => line.label)).toEqual(["run-1 a", "run-2 a", "run-2 b"]);
    expect(lines[0]!.look!.dash).toEqual(lines[1]!.look!.dash);
    expect(lines[1]!.look!.colour).toBe(lines[2]!.look!.colour);
    expect(lines[1]!.look!.dash).not.toEqual(lines[2]!.look!.dash);
  });
  test("that are smoothed have what was logged behind them", () => {
    const [line] = linesOf(group, [source("1", series("loss/a", 0, 10))], { ...shown, smoothing: 0.5 });
    expect(line!.behind).toEqual([[0, 0], [1, 10]]); // prettier-ignore
    expect(line!.points[1]![1]).toBeCloseTo(20 / 3);
  });
});

test("figures are sorted either way, and what has no number stands at the end", () => {
  const figures = figuresOf(["a", "b", "c"], [source("1", series("a", 2), series("b"), series("c", 1))]);
  const order = (descending: boolean) => sortedFigures(figures, { key: "last", descending }).map((one) => one.key);
  expect(order(false)).toEqual(["c", "a", "b"]);
  expect(order(true)).toEqual(["a", "c", "b"]);
  expect(sortedFigures(figures, undefined)).toBe(figures);
});
