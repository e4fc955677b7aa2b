/** Which metrics stand in one chart, and where their values stand in it. */

import type { MetricSeries } from "./metric-series";

/** "prefix": those whose names are the same up to the last slash. "name": those that are the same after it. */
export const GROUPINGS = ["prefix", "name", "each"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** What a chart has from left to right: steps, seconds since its run began, or the time of day. */
export const AXES = ["step", "elapsed", "time"] as const;
export type Axis = (typeof AXES)[number];

export interface MetricGroup {
  title: string;
  /** Each with what it is called within the group. */
  metrics: readonly { key: string; label: string }[];
}

export function groupsOf(keys: readonly string[], grouping: Grouping): MetricGroup[] {
  const groups = new Map<string, { key: string; label: string }[]>();
  for (const key of keys) {
    const { title, label } = named(key, grouping);
    const known = groups.get(title);
    if (known) known.push({ key, label });
    else groups.set(title, [{ key, label }]);
  }
  return [...groups].map(([title, metrics]) =>
    metrics.length === 1
      ? { title: metrics[0]!.key, metrics: [{ ...metrics[0]!, label: metrics[0]!.key }] }
      : { title, metrics },
  );
}

function named(key: string, grouping: Grouping): { title: string; label: string } {
  const slash = key.lastIndexOf("/");
  // A slash at either end parts nothing from nothing.
  if (grouping === "each" || slash <= 0 || slash === key.length - 1) return { title: key, label: key };
  const [prefix, name] = [key.slice(0, slash), key.slice(slash + 1)];
  return grouping === "prefix" ? { title: prefix, label: name } : { title: name, label: prefix };
}

/** The points of a series in a chart, by ascending x. Values without a step have no place on an axis of steps. */
export function placed(series: MetricSeries, axis: Axis, started: number): (readonly [x: number, y: number | null])[] {
  const points: (readonly [number, number | null])[] = [];
  for (const { step, at, value } of series.points) {
    const x = axis === "step" ? step : axis === "time" ? at : at - started;
    if (x !== null) points.push([x, value]);
  }
  return points.sort((a, b) => a[0] - b[0]);
}

/**
 * Points smoothed by an exponential moving average that is true from the first value on.
 *
 * @param weight How much of each value is what came before: from 0, which changes nothing, to below 1.
 */
export function smoothed(
  points: readonly (readonly [x: number, y: number | null])[],
  weight: number,
): readonly (readonly [x: number, y: number | null])[] {
  if (weight <= 0) return points;
  let [mean, seen] = [0, 1];
  return points.map(([x, y]) => {
    if (y === null) return [x, null] as const;
    mean = mean * weight + y * (1 - weight);
    seen *= weight;
    return [x, mean / (1 - seen)] as const;
  });
}
