/** What the runs of a time came to, in a few numbers, and how that differs from another time. */

import type { Slot } from "~/data/history";

export interface Figures {
  runs: number;
  completed: number;
  /** Failed or crashed. */
  failed: number;
  /** Part of those that completed, failed or crashed that completed; `undefined` where there are none. */
  success: number | undefined;
  /** Seconds that a finished run took on average; `undefined` where there is none. */
  mean: number | undefined;
}

export function figuresOf(slots: readonly Pick<Slot, "counts" | "seconds">[]): Figures {
  const sum = { runs: 0, completed: 0, failed: 0, cancelled: 0, seconds: 0 };
  for (const slot of slots) {
    sum.seconds += slot.seconds;
    for (const [state, n] of Object.entries(slot.counts)) {
      sum.runs += n;
      if (state === "completed") sum.completed += n;
      else if (state === "failed" || state === "crashed") sum.failed += n;
      else if (state === "cancelled") sum.cancelled += n;
    }
  }
  const judged = sum.completed + sum.failed;
  const finished = judged + sum.cancelled;
  return {
    runs: sum.runs,
    completed: sum.completed,
    failed: sum.failed,
    success: judged ? sum.completed / judged : undefined,
    mean: finished ? sum.seconds / finished : undefined,
  };
}

export interface Change {
  /** "+12 %", "−3 points", "same". */
  text: string;
  /** Whether it went up (1), down (-1) or stayed as it was (0). */
  direction: -1 | 0 | 1;
  /** Whether it is more than what comes and goes by itself. */
  isLarge: boolean;
}

/** By how much a number changed, in percent; `undefined` where there was nothing to compare with. */
export function changeOf(now: number | undefined, before: number | undefined): Change | undefined {
  if (now === undefined || before === undefined || before <= 0) return undefined;
  const percent = Math.round((100 * (now - before)) / before);
  if (percent >= 1000) return { text: `${Math.round(now / before)} times`, direction: 1, isLarge: true };
  return told(percent, `${Math.abs(percent)} %`, 10);
}

/** By how many points out of a hundred a part changed. */
export function pointsOf(now: number | undefined, before: number | undefined): Change | undefined {
  if (now === undefined || before === undefined) return undefined;
  const points = Math.round(1000 * (now - before)) / 10;
  const size = Math.abs(points) >= 10 ? Math.round(Math.abs(points)) : Math.abs(points);
  return told(points, `${size} ${size === 1 ? "point" : "points"}`, 1);
}

function told(value: number, size: string, large: number): Change {
  if (value === 0) return { text: "same", direction: 0, isLarge: false };
  const isLarge = Math.abs(value) >= large;
  return { text: `${value > 0 ? "+" : "−"}${size}`, direction: value > 0 ? 1 : -1, isLarge };
}
