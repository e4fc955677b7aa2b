/** What a line chart draws and says, as pure functions of its series. */

import { measured } from "~/lib/numbers";
import { clock, day, duration, exact } from "~/lib/times";

/** A value at a place; `null` for a gap in the line. */
export type Point = readonly [x: number, y: number | null];

/** What stands on the x axis: numbers such as steps, Unix seconds, or seconds since something began. */
export type XKind = "number" | "time" | "elapsed";

/** Places that all series share, and for each series its values there: `null` is a gap, `undefined` is passed over. */
export type Aligned = [xs: number[], ...ys: (number | null | undefined)[][]];

/** Points by ascending x. Of several at one place the last one counts. */
export function ascending(points: readonly Point[]): readonly Point[] {
  let fine = true;
  for (let n = 1; fine && n < points.length; n += 1) fine = points[n - 1]![0] < points[n]![0];
  if (fine) return points;
  const sorted = points.toSorted((a, b) => a[0] - b[0]);
  return sorted.filter((point, n) => sorted[n + 1]?.[0] !== point[0]);
}

/**
 * Bring series to the same places.
 *
 * @param log Whether y is logarithmic: what is not above 0 has no place there, and is passed over.
 */
export function aligned(series: readonly (readonly Point[])[], log = false): Aligned {
  const ordered = series.map(ascending);
  const xs = placesOf(ordered);
  const fitting = (y: number | null) => (log && y !== null && y <= 0 ? undefined : y);
  return [
    xs,
    ...ordered.map((points) => {
      if (points.length === xs.length) return points.map((point) => fitting(point[1]));
      const ys = Array.from<number | null | undefined>({ length: xs.length });
      let at = 0;
      for (const [x, y] of points) {
        while (xs[at]! < x) at += 1;
        ys[at] = fitting(y);
      }
      return ys;
    }),
  ];
}

function placesOf(series: readonly (readonly Point[])[]): number[] {
  if (series.length === 1) return series[0]!.map((point) => point[0]);
  const all = new Float64Array(series.reduce((sum, points) => sum + points.length, 0));
  let end = 0;
  for (const points of series) for (const point of points) all[end++] = point[0];
  all.sort();
  const xs: number[] = [];
  for (const x of all) if (x !== xs[xs.length - 1]) xs.push(x);
  return xs;
}

/** The place nearest to `from` at which there is a value, or -1. */
export function nearest(ys: readonly (number | null | undefined)[], from: number): number {
  for (let far = 0; far < ys.length; far += 1) {
    if (typeof ys[from - far] === "number") return from - far;
    if (typeof ys[from + far] === "number") return from + far;
  }
  return -1;
}

/** How a value on the y axis is written. Seconds are durations. */
export function valueText(value: number | null | undefined, unit = ""): string {
  if (value === undefined) return "–";
  if (value === null) return "none";
  if (unit === "s") return (value < 0 ? "-" : "") + duration(Math.abs(value));
  return unit ? `${measured(value)} ${unit}` : measured(value);
}

/** How a place on the x axis is written where it stands alone. */
export function placeText(x: number, kind: XKind): string {
  if (kind === "time") return exact(x);
  return kind === "elapsed" ? valueText(x, "s") : measured(x);
}

/** What stands at ticks of an axis of Unix seconds: no more of the time than tells them apart, the day where it begins. */
export function timeTicks(ticks: readonly number[], step: number): string[] {
  let before = "";
  return ticks.map((tick) => {
    const today = day(tick);
    const told = clock(tick);
    const isNew = today !== before;
    before = today;
    if (step >= 86_400) return today.slice(5);
    const time = step >= 60 ? told.slice(0, 5) : step >= 1 ? told.slice(0, 8) : told;
    return isNew && told === "00:00:00.000" ? today.slice(5) : time;
  });
}

/** Distances between ticks of an axis of Unix seconds: those that people count in, so that what is written is exact. */
export const TIME_STEPS: readonly number[] = [
  ...[0.001, 0.01, 0.1].flatMap((unit) => [1, 2, 5].map((n) => Number((n * unit).toFixed(3)))),
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * 60),
  ...[1, 2, 3, 6, 12].map((n) => n * 3_600),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000].map((n) => n * 86_400),
];
/** Pixels between two labels, at least; and from one label to the next, however narrow they are. */
const APART = 14;
const LEAST_ROOM = 74;

/**
 * Pixels that each label of an axis of Unix seconds needs, where `span` seconds have `width` pixels: parts of a second
 * take more room than whole ones, and are written when there is room for them.
 */
export function timeRoom(span: number, width: number, widthOf: (text: string) => number): number {
  const room = (text: string) => Math.ceil(widthOf(text)) + APART;
  const whole = Math.max(LEAST_ROOM, room("00:00:00"));
  const step = TIME_STEPS.find((one) => (one / span) * width >= whole) ?? Infinity;
  return step < 1 ? Math.max(whole, room("00:00:00.000")) : whole;
}

/** What stands at ticks of an axis of numbers: as many digits as the distance between them asks for. */
export function numberTicks(ticks: readonly number[], unit = ""): string[] {
  if (unit === "s") return ticks.map((tick) => valueText(tick, unit));
  const largest = Math.max(...ticks.map(Math.abs), 0);
  const step = Math.abs((ticks[1] ?? 0) - (ticks[0] ?? 0));
  const told = ticks.map((tick) => {
    if (tick === 0) return "0";
    if (largest >= 1e6 || largest < 1e-3) return shortExponent(tick);
    const digits = step > 0 && step < 1 ? Math.min(6, Math.ceil(-Math.log10(step) - 1e-9)) : 0;
    return tick.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: Math.max(digits, 2) });
  });
  return unit ? told.map((tick) => `${tick} ${unit}`) : told;
}

/** Ticks of a logarithmic axis: powers of ten and what lies between, `null` where nothing is written. */
export function logTicks(ticks: readonly (number | null)[], unit = ""): string[] {
  return ticks.map((tick) => (tick === null ? "" : numberTicks([tick], unit)[0]!));
}

function shortExponent(value: number): string {
  return value
    .toExponential(3)
    .replace(/\.?0+e/, "e")
    .replace("e+", "e");
}

export interface Summary {
  count: number;
  last: number | null;
  smallest: number | null;
  largest: number | null;
}

/** What a line comes to, for those who do not see it. */
export function summary(points: readonly Point[]): Summary {
  let [smallest, largest, last, count] = [Infinity, -Infinity, null as number | null, 0];
  for (const [, y] of points) {
    if (y === null) continue;
    count += 1;
    last = y;
    if (y < smallest) smallest = y;
    if (y > largest) largest = y;
  }
  return count ? { count, last, smallest, largest } : { count: 0, last: null, smallest: null, largest: null };
}

/** Lines that a summary names one by one. */
const NAMED = 8;

/** A chart as a sentence. */
export function chartSentence(
  label: string,
  series: readonly { label: string; points: readonly Point[] }[],
  unit = "",
): string {
  const lines = series.slice(0, NAMED).map((one) => {
    const { count, last, smallest, largest } = summary(one.points);
    if (!count) return `${one.label}: no values`;
    const range = `${valueText(smallest, unit)} to ${valueText(largest, unit)}`;
    return `${one.label}: ${count} ${count === 1 ? "value" : "values"}, ${range}, last ${valueText(last, unit)}`;
  });
  const more = series.length > NAMED ? [`and ${series.length - NAMED} more lines`] : [];
  return `${label}. ${[...lines, ...more].join("; ")}.`;
}

/** From the first to the last place of a line, in order; around the only one there is some room, or it would not be drawn. */
export function across(xs: ArrayLike<number>): [number, number] | undefined {
  const [first, last] = [xs[0], xs[xs.length - 1]];
  if (first === undefined || last === undefined) return undefined;
  return first === last ? [first - 0.5, last + 0.5] : [first, last];
}
