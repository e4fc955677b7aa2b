/** The one table of states: what each is called, and by which colour, icon and pattern it is known. */

import type { IconName } from "./icons";

export const STATES = [
  "RUNNING",
  "CANCELLING",
  "PAUSED",
  "PENDING",
  "SCHEDULED",
  "FAILED",
  "CRASHED",
  "CANCELLED",
  "COMPLETED",
] as const;
export type State = (typeof STATES)[number];

/** How an area is filled, so that states differ without colour. */
export type Pattern = "plain" | "rising" | "crossed" | "dotted" | "level" | "upright" | "hollow";

export interface Look {
  /** For people. */
  label: string;
  /** Custom property of tokens.css; with `-soft` behind it, the one for what lies behind text. */
  colour: `--${string}`;
  icon: IconName;
  pattern: Pattern;
  final: boolean;
}

const LOOKS: Record<State, Look> = {
  COMPLETED: { label: "Completed", colour: "--good", icon: "check", pattern: "plain", final: true },
  FAILED: { label: "Failed", colour: "--bad", icon: "cross", pattern: "rising", final: true },
  CRASHED: { label: "Crashed", colour: "--broken", icon: "bolt", pattern: "crossed", final: true },
  CANCELLED: { label: "Cancelled", colour: "--stopped", icon: "slash", pattern: "dotted", final: true },
  RUNNING: { label: "Running", colour: "--active", icon: "play", pattern: "plain", final: false },
  CANCELLING: { label: "Cancelling", colour: "--stopped", icon: "slash", pattern: "rising", final: false },
  PAUSED: { label: "Paused", colour: "--waiting", icon: "pause", pattern: "upright", final: false },
  PENDING: { label: "Pending", colour: "--waiting", icon: "dots", pattern: "hollow", final: false },
  SCHEDULED: { label: "Scheduled", colour: "--planned", icon: "clock", pattern: "level", final: false },
};

const UNKNOWN: Look = { label: "Unknown", colour: "--stopped", icon: "question", pattern: "hollow", final: false };

/** The look of a state; of one that this UI does not know yet, a neutral one. */
export function lookOf(state: string): Look {
  return LOOKS[state.toUpperCase() as State] ?? { ...UNKNOWN, label: state || "Unknown" };
}

export function isFinal(state: string): boolean {
  return lookOf(state).final;
}

/** Whether something went wrong: what a list of failures holds. */
export function wentWrong(state: string): boolean {
  return state === "FAILED" || state === "CRASHED";
}

/** Counts by state, in the order of the table, without those that are none. Keys may be in any case. */
export function countsInOrder(counts: Record<string, number>): [State, number][] {
  const found = new Map(Object.entries(counts).map(([state, count]) => [state.toUpperCase(), count]));
  return STATES.filter((state) => (found.get(state) ?? 0) > 0).map((state) => [state, found.get(state)!]);
}
