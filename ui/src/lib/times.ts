/** Times and durations as people read them. Times come from the server as RFC 3339 in UTC, durations as seconds. */

import { createSignal, onCleanup } from "solid-js";
import type { Accessor } from "solid-js";

/** Unix seconds, as exact as they were told: dates know milliseconds alone. */
export function secondsOf(time: string | null | undefined): number {
  return time ? Date.parse(time) / 1000 + Number(`0.000${BEYOND.exec(time)?.[1] ?? 0}`) : 0;
}

const BEYOND = /\.\d{3}(\d+)/;

const SPANS: [number, Intl.RelativeTimeFormatUnit][] = [
  [60, "second"],
  [3600, "minute"],
  [86_400, "hour"],
  [86_400 * 30, "day"],
  [86_400 * 365, "month"],
  [Infinity, "year"],
];
const LENGTHS: Partial<Record<Intl.RelativeTimeFormatUnit, number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  month: 86_400 * 30,
  year: 86_400 * 365,
};
const relativeFormat = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "narrow" });

/** "3m ago", "in 2h": how far a time lies from `now`, both in Unix seconds. */
export function relative(time: number, now: number): string {
  const distance = time - now;
  const unit = SPANS.find(([limit]) => Math.abs(distance) < limit)?.[1] ?? "year";
  if (unit === "second" && Math.abs(distance) < 2) return "now";
  return relativeFormat.format(Math.trunc(distance / (LENGTHS[unit] ?? 1)), unit);
}

const exactFormat = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });
const dayFormat = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short" });
const clockFormat = new Intl.DateTimeFormat("sv-SE", { timeStyle: "medium" });

/** "2026-11-23 18:04:05", in the zone of whoever looks. */
export function exact(time: number): string {
  return exactFormat.format(time * 1000);
}

/** "2026-11-23", in the zone of whoever looks. */
export function day(time: number): string {
  return dayFormat.format(time * 1000);
}

/** "18:04:05.123", in the zone of whoever looks. */
export function clock(time: number): string {
  const milliseconds = Math.floor((time % 1) * 1000);
  return `${clockFormat.format(time * 1000)}.${String(milliseconds).padStart(3, "0")}`;
}

/** "2026-11-23T17:04:05.123Z", for copying and for titles. */
export function utc(time: number): string {
  return new Date(time * 1000).toISOString();
}

/** The beginning of the day that a time lies in, where one looks from. */
export function dayOf(time: number): number {
  return new Date(time * 1000).setHours(0, 0, 0, 0) / 1000;
}

/** The same time of day `n` days later; days have 23 to 25 hours. */
export function daysLater(time: number, n: number): number {
  const date = new Date(time * 1000);
  return date.setDate(date.getDate() + n) / 1000;
}

/** "<1 ms", "8 ms", "1.2 s", "3m 04s", "2h 05m", "3d 4h". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "";
  if (seconds === 0) return "0 ms";
  if (seconds < 0.0005) return "<1 ms";
  if (seconds < 0.9995) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
  return `${Math.floor(minutes / 1440)}d ${Math.floor((minutes % 1440) / 60)}h`;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

const tickers = new Map<number, { time: Accessor<number>; users: number; stop: () => void }>();

/** Now, in Unix seconds, told anew every `period` milliseconds while a component looks. All who look share one timer. */
export function createNow(period = 1000): Accessor<number> {
  let ticker = tickers.get(period);
  if (!ticker) {
    const [time, set] = createSignal(Date.now() / 1000);
    const timer = setInterval(() => document.hidden || set(Date.now() / 1000), period);
    ticker = { time, users: 0, stop: () => clearInterval(timer) };
    tickers.set(period, ticker);
  }
  const used = ticker;
  used.users += 1;
  onCleanup(() => {
    used.users -= 1;
    if (used.users > 0) return;
    used.stop();
    tickers.delete(period);
  });
  return used.time;
}
