/** When to look again at what waits, where nothing is told that changes it: the sentences about it grow old. */

import { secondsOf } from "~/lib/times";
import type { WaitingRun } from "./home-data";

/** Seconds between two looks: at least, and at most. */
const SOONEST = 60;
const LATEST = 300;
/** Seconds after a time that something is to happen, for the server to have seen it. */
const AFTER = 1;

/**
 * Seconds from `now`, in Unix seconds, to the next look; `undefined` while nothing waits.
 *
 * A sentence says for how long something has been so: it is told anew when that has become twice as long, and after
 * five minutes at the latest, since no event tells that a process is gone. What is to be late is looked at when it is.
 */
export function nextLook(waiting: readonly Pick<WaitingRun, "since" | "late_from">[], now: number): number | undefined {
  if (!waiting.length) return undefined;
  const youngest = Math.min(...waiting.map((one) => now - (secondsOf(one.since) || now)));
  const late = waiting.map((one) => secondsOf(one.late_from)).filter((from) => from > now);
  const old = Math.min(Math.max(youngest, SOONEST), LATEST);
  return Math.min(old, ...late.map((from) => from - now + AFTER));
}
