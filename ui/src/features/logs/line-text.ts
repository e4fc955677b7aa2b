/** Lines as text: their times, and what is copied and saved. */

import { clock, day, exact, utc } from "~/lib/times";
import type { Line } from "./lines";
import { plainText } from "./plain-text";

export const TIMES = ["clock", "since", "none"] as const;
/** The time of day, how long after the run began, or nothing. */
export type Times = (typeof TIMES)[number];

export function timeText(at: number, times: Times, began: number): string {
  if (!at || times === "none") return "";
  if (times === "since") return sinceText(at - began);
  return began && day(at) !== day(began) ? `${day(at).slice(5)} ${clock(at)}` : clock(at);
}

/** "+0.012", "+1:02.345", "+2:01:02.345". */
export function sinceText(seconds: number): string {
  const sign = seconds < 0 ? "-" : "+";
  const milliseconds = Math.round(Math.abs(seconds) * 1000);
  const [whole, rest] = [Math.floor(milliseconds / 1000), String(milliseconds % 1000).padStart(3, "0")];
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (part: number) => String(part).padStart(2, "0");
  if (hours) return `${sign}${hours}:${two(minutes)}:${two(whole % 60)}.${rest}`;
  if (minutes) return `${sign}${minutes}:${two(whole % 60)}.${rest}`;
  return `${sign}${whole % 60}.${rest}`;
}

/** For a title: here, and in UTC. */
export function fullTime(at: number): string {
  return `${exact(at)}\n${utc(at)}`;
}

/** One line for a file or the clipboard; `who` is the name of what logged it. */
export function textOf(line: Line, who: string): string {
  const told = plainText(line.text).replace(/\n+$/, "");
  return `${utc(line.at)} ${line.level.padEnd(8)} ${who ? `${who.replace(/\s+/g, " ")}: ` : ""}${told}\n`;
}

/** One line as JSON, with nothing taken away. */
export function jsonOf(line: Line, who: string): string {
  const { number, at, level, run, task, logger, text } = line;
  return `${JSON.stringify({ number, at: utc(at), level, run, task: task || null, name: who, logger, text })}\n`;
}

export function isTimes(told: unknown): told is Times {
  return TIMES.includes(told as Times);
}
