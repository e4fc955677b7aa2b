/** Where an axis of time bears a label, and which: whole minutes, hours, days, months of whoever looks. */

import { dayOf, daysLater } from "~/lib/times";

export interface Tick {
  /** Unix seconds. */
  at: number;
  label: string;
  /** Whether a day begins here, in an axis of hours. */
  isDay: boolean;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
/** Steps that people count in, in seconds; months and years are made of days. */
const STEPS = [
  ...[1, 5, 15, 30].map((n) => n),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 30, 90, 180, 365].map((n) => n * DAY),
];

const clockFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const secondsFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const weekdayFormat = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });
const monthFormat = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric" });

/** "14:05", in the zone of whoever looks. */
export function clockTime(time: number): string {
  return clockFormat.format(time * 1000);
}

/** "Mon 23 Nov", in the zone of whoever looks. */
export function weekday(time: number): string {
  return weekdayFormat.format(time * 1000).replace(",", "");
}

/** Ticks between two times (Unix seconds), no more of them than have `room` pixels each within `width`. */
export function ticksOf(from: number, to: number, width: number, room = 70): Tick[] {
  if (!(to > from) || width <= 0) return [];
  const least = ((to - from) * room) / width;
  const step = STEPS.find((one) => one >= least) ?? Math.ceil(least / (365 * DAY)) * 365 * DAY;
  const ticks: Tick[] = [];
  for (let at = firstOf(from, step); at <= to; at = following(at, step)) {
    if (at < from) continue;
    const isDay = step < DAY && isMidnight(at);
    ticks.push({ at, label: labelOf(at, step, isDay), isDay });
  }
  return ticks;
}

function firstOf(from: number, step: number): number {
  if (step < DAY) return dayOf(from) + Math.floor((from - dayOf(from)) / step) * step;
  const date = new Date(dayOf(from) * 1000);
  if (step >= 365 * DAY) date.setMonth(0, 1);
  else if (step >= 30 * DAY) date.setDate(1);
  else if (step === 7 * DAY || step === 14 * DAY) date.setDate(date.getDate() - ((date.getDay() + 6) % 7));
  return date.getTime() / 1000;
}

function following(at: number, step: number): number {
  const date = new Date(at * 1000);
  if (step < DAY) {
    // Steps are counted from midnight, so that they stay whole where clocks were changed in between.
    const next = at + step;
    const tomorrow = daysLater(dayOf(at), 1);
    return next >= tomorrow || dayOf(next) !== dayOf(at) ? tomorrow : next;
  }
  if (step >= 365 * DAY) date.setFullYear(date.getFullYear() + Math.round(step / (365 * DAY)));
  else if (step >= 30 * DAY) date.setMonth(date.getMonth() + Math.round(step / (30 * DAY)));
  else return daysLater(at, step / DAY);
  return date.getTime() / 1000;
}

function isMidnight(at: number): boolean {
  return dayOf(at) === at;
}

function labelOf(at: number, step: number, isDay: boolean): string {
  if (step >= 30 * DAY) return monthFormat.format(at * 1000);
  if (isDay || step >= DAY) return dayFormat.format(at * 1000);
  return step < MINUTE ? secondsFormat.format(at * 1000) : clockTime(at);
}
