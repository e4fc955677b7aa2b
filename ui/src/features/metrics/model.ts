/** What the view of metrics shows, as pure functions of what its URL says and what was read. */

import type { LineSeries } from "~/components/line-chart";
import { lineLook, lookOfPair } from "~/components/line-chart-looks";
import { AXES, GROUPINGS, placed, smoothed } from "~/data/metric-charts";
import type { Axis, Grouping, MetricGroup } from "~/data/metric-charts";
import type { MetricSeries } from "~/data/metric-series";

/** Runs that can be laid over the one whose page it is. */
export const MOST_OTHERS = 8;

export interface Shown {
  filter: string;
  grouping: Grouping;
  axis: Axis;
  /** Of the moving average; 0 for none. */
  smoothing: number;
  log: boolean;
  isTable: boolean;
  range: readonly [number, number] | undefined;
}

export function shownOf(one: (name: string) => string): Shown {
  const smoothing = Number(one("smooth"));
  return {
    filter: one("q"),
    grouping: GROUPINGS.find((each) => each === one("by")) ?? "prefix",
    axis: AXES.find((each) => each === one("x")) ?? "step",
    smoothing: smoothing > 0 && smoothing < 1 ? smoothing : 0,
    log: one("log") === "1",
    isTable: one("view") === "table",
    range: rangeOf(one("range")),
  };
}

/** A part of the x axis as the URL has it: "10..20". */
export function rangeOf(told: string): readonly [number, number] | undefined {
  const [low, high, ...more] = told.split("..").map((part) => (part === "" ? NaN : Number(part)));
  return !more.length && Number.isFinite(low) && Number.isFinite(high) && low! < high! ? [low!, high!] : undefined;
}

export function rangeText(range: readonly [number, number] | undefined): string | undefined {
  return range?.map((end) => String(Number(end.toPrecision(13)))).join("..");
}

/** Names in which all words of the filter occur, in any case. */
export function fitting(keys: readonly string[], filter: string): string[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return keys.filter((key) => words.every((word) => key.toLowerCase().includes(word)));
}

/** One of the runs in the picture. */
export interface Source {
  id: string;
  name: string;
  /** When it began, in Unix seconds. */
  started: number;
  series: (key: string) => MetricSeries | undefined;
}

/** The lines of a chart: of one run each metric has its colour; of several, each run has its colour and each metric its dash. */
export function linesOf(group: MetricGroup, sources: readonly Source[], shown: Shown): LineSeries[] {
  const isAlone = sources.length === 1;
  return group.metrics.flatMap(({ key, label }, kind) =>
    sources.flatMap((source, place): LineSeries[] => {
      const series = source.series(key);
      if (!series) return [];
      const points = placed(series, shown.axis, source.started);
      return [
        {
          label: isAlone ? label : group.metrics.length === 1 ? source.name : `${source.name} ${label}`,
          look: isAlone ? lineLook(kind) : group.metrics.length === 1 ? lineLook(place) : lookOfPair(place, kind),
          points: smoothed(points, shown.smoothing),
          ...(shown.smoothing ? { behind: points } : {}),
        },
      ];
    }),
  );
}

/** Names of runs, each told from the others: where two are the same, with the beginning of their ids. */
export function namesOf(runs: readonly { id: string; name: string }[]): string[] {
  return runs.map((run) =>
    runs.some((other) => other.id !== run.id && other.name === run.name) ? `${run.name} ${run.id.slice(-6)}` : run.name,
  );
}

/** One line of the table: what one metric of one run comes to. */
export interface Figure {
  key: string;
  source: Source;
  place: number;
  series: MetricSeries;
}

export type FigureColumn = "key" | "run" | "last" | "smallest" | "largest" | "mean" | "count";

export function figuresOf(keys: readonly string[], sources: readonly Source[]): Figure[] {
  return keys.flatMap((key) =>
    sources.flatMap((source, place) => {
      const series = source.series(key);
      return series ? [{ key, source, place, series }] : [];
    }),
  );
}

/** Sorted by a column; what has no number in it stands at the end either way. */
export function sortedFigures(
  figures: readonly Figure[],
  by: { key: FigureColumn; descending: boolean } | undefined,
): readonly Figure[] {
  if (!by) return figures;
  const turn = by.descending ? -1 : 1;
  return figures.toSorted((a, b) => {
    if (by.key === "key") return turn * a.key.localeCompare(b.key);
    if (by.key === "run") return turn * (a.place - b.place);
    const [one, other] = [a.series[by.key], b.series[by.key]];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return turn * (one - other);
  });
}
