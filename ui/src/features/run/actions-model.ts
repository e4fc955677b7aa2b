/** What can be done to a run as it stands, as the server judges it too: a button that would be refused is not there. */

import { plural } from "~/lib/numbers";
import { isFinal } from "~/lib/state";
import type { FullRun } from "~/data/run";

export type Action = "cancel" | "resume" | "retry" | "again" | "delete";

/** What counts of a run for what can be done to it. */
export type Standing = Pick<FullRun, "id" | "state" | "holder" | "source" | "tasks" | "requests">;

/**
 * What can be done.
 *
 * @param run The run that is looked at.
 * @param root Its outermost run, which is the same for most: cancelling and going on concern that one.
 */
export function possible(run: Standing, root: Standing): Set<Action> {
  const found = new Set<Action>();
  const canBeLoaded = Boolean(root.source?.entrypoint);
  const isRoot = run.id === root.id;
  const ended = isFinal(root.state);
  if (!ended) found.add("cancel");
  if (canBeLoaded && ((ended && root.state !== "COMPLETED") || isSuspended(root))) {
    found.add("resume");
    if (ended && sum(run.tasks) > 0) found.add("retry");
  }
  if (canBeLoaded && isRoot) found.add("again");
  if (ended && isRoot) found.add("delete");
  return found;
}

/** Whether it waits and no process has it. */
export function isSuspended(root: Standing): boolean {
  return root.state === "PAUSED" && root.holder === "";
}

/** Why it cannot go on from here; "" where it can, or where that is not wanted. */
export function whyNot(root: Standing): string {
  if (root.source?.entrypoint || !isFinal(root.state) || root.state === "COMPLETED") return "";
  const why = root.source?.not_loadable || "Where its code lies was not recorded.";
  return `It cannot be continued from here: ${why}`;
}

const REQUESTS: Record<string, string> = {
  cancel: "Cancelling was asked for; its process has not answered yet.",
  suspend: "It was asked to suspend, which it does when it next calls a task.",
};

/** What is asked of it and has not happened yet, as sentences. */
export function requestsTold(requests: readonly string[]): string[] {
  return requests.map((one) => REQUESTS[one] ?? `It was asked to ${one}; that has not happened yet.`);
}

/** The first characters of a commit, and whether there was more in the folder than it. */
export function commitTold(source: FullRun["source"]): string {
  return source?.git_commit ? source.git_commit.slice(0, 10) + (source.git_dirty ? " + changes" : "") : "";
}

const DROPPED: Record<string, [string, string?]> = {
  log: ["log line"],
  metric: ["metric value"],
  asset_metadata: ["asset description"],
  "sampled log lines": ["log line beyond what is kept of one second", "log lines beyond what is kept of one second"],
  unreadable: ["unreadable record"],
  unkept: ["record that was not kept", "records that were not kept"],
};

/** What was left out of the records, as a sentence; "" where nothing was. */
export function droppedTold(dropped: Record<string, number>): string {
  const parts = Object.entries(dropped).filter(([, n]) => n > 0);
  const told = parts.map(([what, n]) => plural(n, ...(DROPPED[what] ?? ([what, what] as const))));
  return parts.length ? `Not recorded: ${told.join(", ")}.` : "";
}

/** Parameters in one line: "rows 500 · source warehouse". */
export function parametersTold(parameters: unknown): string {
  if (typeof parameters !== "object" || parameters === null) return "";
  return Object.entries(parameters)
    .map(([name, value]) => `${name} ${short(value)}`)
    .join(" · ")
    .slice(0, 500);
}

function short(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

/** What to type for a run: its name where a shell takes it as it is, else its id. */
export function forShell(run: { name: string; id: string }): string {
  return /^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(run.name) ? run.name : run.id;
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((all, one) => all + one, 0);
}
