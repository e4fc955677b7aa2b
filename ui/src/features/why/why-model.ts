/** Reasons in groups, and sentences with commands in them. */

import type { Shapes } from "~/lib/http";
import { isFinal, wentWrong } from "~/lib/state";

export type Reason = Shapes["Reason"];

export interface Group {
  title: string;
  about: string;
  /** How many task runs are in it. */
  n: number;
  reasons: Reason[];
}

const GROUPS: [title: string, about: string, holds: (reason: Reason) => boolean][] = [
  ["Runs", "What is being worked on now.", (one) => ["RUNNING", "CANCELLING"].includes(one.state_type)],
  ["Waits", "What is not running yet, and for what it waits.", (one) => !isFinal(one.state_type)],
  ["Went wrong", "What failed or crashed by itself.", (one) => wentWrong(one.state_type) && one.state !== "NotReady"],
  ["Did not run", "What something else kept from running.", (one) => one.state_type !== "COMPLETED"],
  ["Reused", "What was not computed, since its outcome was there.", () => true],
];

/** Reasons by what they are about, those without any left out. */
export function grouped(reasons: readonly Reason[]): Group[] {
  const groups = GROUPS.map(([title, about]) => ({ title, about, n: 0, reasons: [] as Reason[] }));
  for (const reason of reasons) {
    const group = groups[GROUPS.findIndex(([, , holds]) => holds(reason))]!;
    group.reasons.push(reason);
    group.n += reason.count;
  }
  return groups.filter((group) => group.reasons.length);
}

/** What one types stands after a colon, or before the word that says what it does. */
const COMMAND =
  /nadi (?:resume|cancel|logs|why|run|worker)(?: --?[a-z][a-z-]*(?: [\w.]+=\S+)?| [\w.:/-]*[\w/])*(?= |$|\.|;)/g;
const VERBS = / (?:continues|ends|follows|stops|starts|serves|lists)$/;

/** A sentence in pieces: what is a command, and what is not. */
export function commandsIn(sentence: string): { text: string; isCommand: boolean }[] {
  const parts: { text: string; isCommand: boolean }[] = [];
  let from = 0;
  for (const match of sentence.matchAll(COMMAND)) {
    const command = match[0]
      .replace(/ (?:continues|ends|follows|stops|starts|serves|lists)\b.*$/, "")
      .replace(VERBS, "");
    if (match.index > from) parts.push({ text: sentence.slice(from, match.index), isCommand: false });
    parts.push({ text: command, isCommand: true });
    from = match.index + command.length;
  }
  if (from < sentence.length) parts.push({ text: sentence.slice(from), isCommand: false });
  return parts;
}
