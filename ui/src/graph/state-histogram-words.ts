/** What a bar of a histogram says in words. */

import { count } from "~/lib/numbers";
import { countsInOrder, lookOf } from "~/lib/state";
import { dayOf, daysLater } from "~/lib/times";
import { clockTime, weekday } from "./time-ticks";
import type { Bucket } from "./state-histogram-layout";

/** "Mon 23 Nov, 14:00 to 15:00"; "Mon 23 Nov" where it is a whole day. Times are Unix seconds. */
export function bucketTold(range: Pick<Bucket, "start" | "end">): string {
  const { start, end } = range;
  const day = dayOf(start);
  const lastDay = dayOf(end - 1e-3);
  if (start === day && end === daysLater(lastDay, 1)) {
    return day === lastDay ? weekday(day) : `${weekday(day)} to ${weekday(lastDay)}`;
  }
  if (day === lastDay) return `${weekday(start)}, ${clockTime(start)} to ${clockTime(end)}`;
  return `${weekday(start)}, ${clockTime(start)} to ${weekday(end)}, ${clockTime(end)}`;
}

/** "2 failed, 10 completed"; "none". */
export function countsTold(counts: Record<string, number>): string {
  const told = countsInOrder(counts).map(([state, n]) => `${count(n)} ${lookOf(state).label.toLowerCase()}`);
  return told.join(", ") || "none";
}
