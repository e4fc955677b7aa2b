/** Rules of retention as sentences, and which one counts. */

import type { Shapes } from "~/lib/http";

export type Rule = Shapes["RetentionRuleShape"];

const UNITS = [
  [7 * 86_400, "week"],
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
  [1, "second"],
] as const;

/** "30 days", "an hour" as "1 hour": a length of time in the largest unit of which it is a whole number. */
export function lengthInWords(seconds: number): string {
  if (seconds === 0) return "no time at all";
  const [size, unit] = UNITS.find(
    ([size, unit]) => seconds % size === 0 && (unit !== "week" || seconds < 5 * size),
  ) ?? [1, "second"];
  const count = seconds / size;
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** What a rule does, as a sentence. */
export function sentenceOf(rule: Rule): string {
  const which = `${rule.state ? `${rule.state.toLowerCase()} runs` : "finished runs"} of ${rule.flow ? `flow ${rule.flow}` : "every flow"}`;
  return rule.age === null
    ? `Keep ${which} for ever.`
    : `Remove ${which} ${lengthInWords(rule.age)} after their end, with their logs, artifacts and result files.`;
}

/** In the order in which they count: one that names its flow comes first, then one that names its state. */
export function inOrder(rules: readonly Rule[]): Rule[] {
  const rank = (rule: Rule) => (rule.flow ? 0 : 2) + (rule.state ? 0 : 1);
  return [...rules].sort(
    (a, b) => rank(a) - rank(b) || a.flow.localeCompare(b.flow) || (a.state ?? "").localeCompare(b.state ?? ""),
  );
}

/** Seconds of a number and a unit as they are filled in; `null` for what is no length of time. */
export function secondsOf(count: string, unit: string): number | null {
  const number = Number(count.replace(",", "."));
  const size = { hours: 3_600, days: 86_400, weeks: 7 * 86_400 }[unit];
  return count.trim() === "" || !Number.isFinite(number) || number < 0 || size === undefined ? null : number * size;
}
