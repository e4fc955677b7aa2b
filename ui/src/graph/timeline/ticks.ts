/** Where an axis has its marks, and what stands at them. */

import type { Axis } from "./axis";
import type { View } from "./view";

export interface Tick {
  /** Shown seconds. */
  at: number;
  /** Seconds since the axis began, or since the end of the last cut. */
  since: number;
  label: string;
}

const STEPS = [1, 2, 5];
const OF_A_MINUTE = [1, 2, 5, 10, 15, 30];
const LONGER = [
  ...OF_A_MINUTE,
  ...OF_A_MINUTE.map((n) => n * 60),
  ...[1, 2, 3, 6, 12].map((n) => n * 3_600),
  ...[1, 2, 5, 10, 20, 50, 100].map((n) => n * 86_400),
];

/** The smallest step that people count in and that is at least this many seconds. */
export function stepOf(least: number): number {
  if (least <= 0.5) {
    const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-6)));
    return (STEPS.find((step) => step * power >= least * 0.999) ?? 10) * power;
  }
  return LONGER.find((step) => step >= least) ?? Math.ceil(least / 86_400) * 86_400;
}

/** "0", "250 ms", "1.5 s", "2:05", "1:00:00", "2d 4h": how long after the beginning, as exact as the steps are. */
export function tickLabel(since: number, step: number): string {
  const sign = since < -step / 1000 ? "−" : "";
  const seconds = Math.abs(since);
  if (seconds < step / 1000) return "0";
  if (step < 1) {
    const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
    if (seconds < 0.9995) return `${sign}${(seconds * 1000).toFixed(Math.max(0, digits - 3))} ms`;
    if (seconds < 60) return `${sign}${seconds.toFixed(digits)} s`;
    return `${sign}${tickLabel(Math.floor(seconds), 1)}${(seconds % 1).toFixed(digits).slice(1)}`;
  }
  const whole = Math.round(seconds);
  if (whole < 60) return `${sign}${whole} s`;
  const two = (n: number) => String(n).padStart(2, "0");
  const [days, hours, minutes] = [Math.floor(whole / 86_400), Math.floor(whole / 3_600) % 24, Math.floor(whole / 60)];
  if (days) return `${sign}${days}d ${hours ? `${hours}h` : ""}`.trim();
  if (minutes < 60) return `${sign}${minutes}:${two(whole % 60)}`;
  return `${sign}${hours}:${two(minutes % 60)}${step < 60 ? `:${two(whole % 60)}` : " h"}`;
}

/**
 * The marks within a view, at least `apart` shown seconds from each other; none within a cut. After a cut they count from
 * its end: each attempt of a run has a scale of its own.
 */
export function ticksOf(axis: Axis, view: View, apart: number): Tick[] {
  const step = stepOf(apart);
  const ticks: Tick[] = [];
  const stretches = [{ begin: 0, end: Infinity }];
  for (const cut of axis.cuts) {
    stretches.at(-1)!.end = cut.shown;
    stretches.push({ begin: cut.shown + cut.length, end: Infinity });
  }
  for (const [n, { begin, end }] of stretches.entries()) {
    const [from, to] = [Math.max(begin, view.from), Math.min(end, view.to)];
    // Where the next one begins its end says so already.
    for (let k = Math.max(n ? 1 : 0, Math.ceil((from - begin) / step - 1e-9)); begin + k * step <= to; k += 1) {
      const label = tickLabel(k * step, step);
      ticks.push({ at: begin + k * step, since: k * step, label: n ? `+${label}` : label });
    }
  }
  return ticks;
}
