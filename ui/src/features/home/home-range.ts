/** Which time the page is about: the last day, week or month, and a part of it that was chosen in the histogram. */

import type { Unit } from "~/data/history";
import { dayOf, daysLater, secondsOf } from "~/lib/times";

export const RANGES = ["24h", "7d", "30d"] as const;
export type RangeName = (typeof RANGES)[number];

export const RANGE_LABELS: Record<RangeName, { short: string; told: string; before: string }> = {
  "24h": { short: "24 h", told: "in the last 24 hours", before: "the 24 hours before" },
  "7d": { short: "7 d", told: "in the last 7 days", before: "the 7 days before" },
  "30d": { short: "30 d", told: "in the last 30 days", before: "the 30 days before" },
};

/** Unix seconds throughout. */
export interface Range {
  name: RangeName;
  from: number;
  to: number;
  unit: Unit;
  /** When the period of the same length before it began. */
  before: number;
}

const HOUR = 3600;

export function rangeName(told: string): RangeName {
  return RANGES.includes(told as RangeName) ? (told as RangeName) : "24h";
}

/** The time up to now, in whole units: the one that is not over yet is the last. */
export function rangeOf(name: RangeName, now: number, isNarrow: boolean): Range {
  const day = dayOf(now);
  if (name === "30d") {
    const from = daysLater(day, -29);
    return { name, from, to: daysLater(day, 1), unit: "day", before: daysLater(from, -30) };
  }
  const hours = name === "24h" ? 24 : 7 * 24;
  const hour = (Math.floor(now / HOUR) + 1) * HOUR;
  if (name === "7d" && isNarrow) {
    const to = [6, 12, 18, 24].map((hours) => atHour(day, hours)).find((end) => end > now) ?? daysLater(day, 1);
    const from = daysLater(to, -7);
    return { name, from, to, unit: "sixHours", before: daysLater(from, -7) };
  }
  return { name, from: hour - hours * HOUR, to: hour, unit: "hour", before: hour - 2 * hours * HOUR };
}

function atHour(day: number, hours: number): number {
  return new Date(day * 1000).setHours(hours) / 1000;
}

/** What was chosen, as the URL has it: the whole hours that it lies in, since runs are counted by those; or nothing. */
export function chosenOf(from: string, to: string): readonly [number, number] | undefined {
  const [start, end] = [secondsOf(from), secondsOf(to)];
  return start > 0 && end > start ? [Math.floor(start / HOUR) * HOUR, Math.ceil(end / HOUR) * HOUR] : undefined;
}

/** "2026-11-23T14:00:00Z", as a URL has it. */
export function inUrl(time: number): string {
  return new Date(time * 1000).toISOString().replace(/\.\d+Z$/, "Z");
}
