/** History as a value: the hours that the server counts by, put together to times of whoever looks. */

import type { Shapes } from "~/lib/http";
import { dayOf, daysLater, secondsOf } from "~/lib/times";

/** How long one slot is. Days, and the six hours of which each has four, begin where one looks from. */
export type Unit = "hour" | "sixHours" | "day";

/** What became of the outermost runs that were made between two times, in Unix seconds. */
export interface Slot {
  start: number;
  end: number;
  counts: Record<string, number>;
  /** Seconds that the finished ones took, all together. */
  seconds: number;
}

const HOUR = 3600;

/** The times between two, in order and without gaps; the first and the last are whole. */
export function slotsBetween(from: number, to: number, unit: Unit): [start: number, end: number][] {
  const found: [number, number][] = [];
  for (let start = beginning(from, unit); start < to;) {
    const end = following(start, unit);
    found.push([start, end]);
    start = end;
  }
  return found;
}

/** Hours put together to slots between two times. An hour counts where it begins. */
export function slotsOf(buckets: readonly Shapes["BucketShape"][], from: number, to: number, unit: Unit): Slot[] {
  const slots = slotsBetween(from, to, unit).map(([start, end]): Slot => ({ start, end, counts: {}, seconds: 0 }));
  let n = 0;
  for (const bucket of buckets) {
    const at = secondsOf(bucket.start);
    while (n < slots.length && slots[n]!.end <= at) n += 1;
    const slot = slots[n];
    if (!slot) break;
    if (at < slot.start) continue;
    for (const [state, count] of Object.entries(bucket.runs)) slot.counts[state] = (slot.counts[state] ?? 0) + count;
    slot.seconds += bucket.seconds;
  }
  return slots;
}

/** The unit in which a time is best shown by no more than about 200 slots. */
export function unitFor(from: number, to: number): Unit {
  const hours = (to - from) / HOUR;
  return hours <= 200 ? "hour" : hours <= 15 * 24 ? "sixHours" : "day";
}

function beginning(time: number, unit: Unit): number {
  // The server counts by whole hours of UTC.
  if (unit === "hour") return Math.floor(time / HOUR) * HOUR;
  const day = dayOf(time);
  if (unit === "day") return day;
  let start = day;
  for (let next = following(start, unit); next <= time; next = following(start, unit)) start = next;
  return start;
}

function following(start: number, unit: Unit): number {
  if (unit === "hour") return start + HOUR;
  const day = dayOf(start);
  if (unit === "day") return daysLater(day, 1);
  // By the clock: where it was changed, one of the four is an hour longer or shorter.
  const date = new Date(start * 1000);
  const quarter = Math.floor(date.getHours() / 6);
  return quarter === 3 ? daysLater(day, 1) : new Date(day * 1000).setHours((quarter + 1) * 6) / 1000;
}
