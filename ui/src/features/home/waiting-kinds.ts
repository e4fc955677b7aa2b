/** Of runs that wait: which are late, which ask somebody, and which are just to come. */

import { secondsOf } from "~/lib/times";
import type { WaitingRun } from "./home-data";

/** Whether a run should have gone on before `now`, in Unix seconds. */
export function isLate(one: Pick<WaitingRun, "late_from">, now: number): boolean {
  const from = secondsOf(one.late_from);
  return from > 0 && from <= now;
}

/** Whether a person has to do something for it to go on. */
export function asks(one: Pick<WaitingRun, "run">): boolean {
  return one.run.state === "PAUSED";
}

/** Whether it is to begin, and its time is not over yet. */
export function isToCome(one: Pick<WaitingRun, "run" | "late_from">, now: number): boolean {
  return one.run.state === "SCHEDULED" && !one.run.started && !isLate(one, now);
}
