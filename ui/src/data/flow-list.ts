/** A list of flows as a value: with what was heard of runs since it was read, and in the order that is asked for. */

import type { Shapes } from "~/lib/http";
import { secondsOf } from "~/lib/times";
import type { Run } from "./run-list";

export type Outcome = Shapes["Outcome"];
export type Flow = Shapes["FlowShape"];

/** The places of its parts, since an outcome comes as an array. */
const [ID, STATE, STATE_NAME, CREATED, STARTED, ENDED, CHANGE] = [0, 1, 2, 3, 4, 5, 6] as const;

/** How many of its newest runs a row shows. */
export const NEWEST = 20;

export function outcomeOf(run: Run): Outcome {
  return [
    run.id,
    run.state,
    run.state_name,
    secondsOf(run.created),
    secondsOf(run.started),
    secondsOf(run.ended),
    run.change,
  ];
}

export const idOf = (outcome: Outcome) => outcome[ID];
export const stateOf = (outcome: Outcome) => outcome[STATE];
export const stateNameOf = (outcome: Outcome) => outcome[STATE_NAME];
export const createdOf = (outcome: Outcome) => outcome[CREATED];
const changeOf = (outcome: Outcome) => outcome[CHANGE];

/** Seconds that a run took, or has taken until `now`; 0 where it has not started. */
export function tookOf(outcome: Outcome, now: number): number {
  const started = outcome[STARTED];
  return started ? Math.max(0, (outcome[ENDED] || now) - started) : 0;
}

/** A flow with a run as it is now: in its strip, and counted where it is known to have been counted otherwise. */
export function withRun(flow: Flow, run: Run): Flow {
  const before = flow.outcomes.find((one) => idOf(one) === run.id);
  if (before && changeOf(before) >= run.change) return flow;
  const newest = flow.outcomes[0];
  // Older than those that are shown: how it was counted, only the server knows.
  if (!before && newest && run.id < idOf(newest)) return flow;
  const now = outcomeOf(run);
  const outcomes = before
    ? flow.outcomes.map((one) => (one === before ? now : one))
    : [now, ...flow.outcomes].slice(0, NEWEST);
  const runs = { ...flow.runs };
  const add = (state: string, n: number) => {
    const name = state.toLowerCase();
    runs[name] = Math.max(0, (runs[name] ?? 0) + n);
  };
  if (before) add(stateOf(before), -1);
  add(run.state, 1);
  return before ? { ...flow, outcomes, runs } : { ...flow, outcomes, runs, newest: run.id, newest_at: run.created };
}

/** Flows with the runs that were heard of. The list itself where nothing of it changed. */
export function withRuns(flows: readonly Flow[], runs: Iterable<Run>): readonly Flow[] {
  const places = new Map(flows.map((flow, at) => [flow.name, at]));
  let now: Flow[] | undefined;
  for (const run of runs) {
    const at = places.get(run.flow);
    if (at === undefined || run.parent) continue;
    const list: readonly Flow[] = now ?? flows;
    const next = withRun(list[at]!, run);
    if (next !== list[at]) (now ??= [...flows])[at] = next;
  }
  return now ?? flows;
}

export function totalOf(flow: Flow): number {
  return Object.values(flow.runs).reduce((sum, n) => sum + n, 0);
}

/** Runs that ended by themselves, and how many of these went well. What somebody cancelled is neither. */
export function successOf(flow: Flow): { good: number; of: number } {
  const good = flow.runs.completed ?? 0;
  return { good, of: good + (flow.runs.failed ?? 0) + (flow.runs.crashed ?? 0) };
}

/** Seconds that those which completed took on average; `undefined` where none did. */
export function meanOf(flow: Flow): number | undefined {
  const completed = flow.runs.completed ?? 0;
  return completed ? (flow.seconds.completed ?? 0) / completed : undefined;
}

export const SORTS = ["name", "newest", "runs", "success", "mean"] as const;
export type Sort = (typeof SORTS)[number];

export interface Order {
  key: Sort;
  descending: boolean;
}

/** An order as the URL has it: "runs", or "-runs" for the largest first; by name where it is none of these. */
export function orderOf(told: string): Order {
  const key = told.replace(/^-/, "") as Sort;
  return SORTS.includes(key) ? { key, descending: told.startsWith("-") } : { key: "name", descending: false };
}

export function orderTold(order: Order): string {
  return order.key === "name" && !order.descending ? "" : (order.descending ? "-" : "") + order.key;
}

/** Flows in an order; those of which the value is not known come last in either direction. */
export function ordered(flows: readonly Flow[], order: Order): readonly Flow[] {
  if (order.key === "name") return order.descending ? flows.toReversed() : flows;
  const valueOf = (flow: Flow): number | undefined => {
    if (order.key === "newest") return secondsOf(flow.newest_at) || undefined;
    if (order.key === "runs") return totalOf(flow);
    if (order.key === "mean") return meanOf(flow);
    const { good, of } = successOf(flow);
    return of ? good / of : undefined;
  };
  const way = order.descending ? -1 : 1;
  return flows
    .map((flow) => ({ flow, value: valueOf(flow) }))
    .sort((a, b) => {
      if (a.value === undefined || b.value === undefined)
        return Number(a.value === undefined) - Number(b.value === undefined);
      return way * (a.value - b.value);
    })
    .map(({ flow }) => flow);
}
