/** What has become of the calls that a node stands for. Pure. */

import { STATES, countsInOrder, isFinal, lookOf, wentWrong } from "~/lib/state";
import type { State } from "~/lib/state";
import { count } from "~/lib/numbers";
import { duration } from "~/lib/times";
import type { GraphShape, NodeShape } from "./shown";

/** A task run or a subflow run. Times are Unix seconds, 0 for "not yet". */
export interface Call {
  id: string;
  state: string;
  stateName: string;
  started: number;
  ended: number;
}

export interface Tally {
  /** How many calls are in which state. */
  counts: Partial<Record<State, number>>;
  total: number;
  /** The state that matters most among the calls; "" where nothing ran yet. */
  state: string;
  /** The name of the state, where there is one call. */
  stateName: string;
  /** Shortest and longest of those that ended, in seconds; -1 where none did. */
  shortest: number;
  longest: number;
  /** Since when the first of those that still run has run; 0 for none. */
  since: number;
  /** The same of all task runs that subflow runs of this node made; undefined where it is no subflow. */
  inner?: Tally;
}

/** From what matters most to what matters least; the server has the same order. */
const WORST: readonly State[] = [
  "FAILED",
  "CRASHED",
  "CANCELLED",
  "RUNNING",
  "CANCELLING",
  "PAUSED",
  "SCHEDULED",
  "PENDING",
  "COMPLETED",
];

export function worst(counts: Partial<Record<State, number>>): State | "" {
  return WORST.find((state) => counts[state]) ?? "";
}

/** Of a node that has no calls. */
export const NOTHING: Tally = {
  counts: {},
  total: 0,
  state: "",
  stateName: "",
  shortest: -1,
  longest: -1,
  since: 0,
};

function empty(): Tally {
  return { ...NOTHING, counts: {} };
}

function add(tally: Tally, call: Call): void {
  const state = call.state as State;
  tally.counts[state] = (tally.counts[state] ?? 0) + 1;
  tally.total += 1;
  tally.stateName = call.stateName;
  if (call.started && call.ended) {
    const took = Math.max(0, call.ended - call.started);
    tally.shortest = tally.shortest < 0 ? took : Math.min(tally.shortest, took);
    tally.longest = Math.max(tally.longest, took);
  } else if (call.started && !isFinal(state)) {
    tally.since = tally.since ? Math.min(tally.since, call.started) : call.started;
  }
}

/** The node of each run, by its number in the order of ids: see `Graph.tasks`. */
export function nodeOfEach(runs: readonly number[]): Int32Array {
  let total = 0;
  for (let at = 1; at < runs.length; at += 2) total += runs[at]!;
  const nodes = new Int32Array(total);
  let from = 0;
  for (let at = 0; at < runs.length; at += 2) {
    nodes.fill(runs[at]!, from, from + runs[at + 1]!);
    from += runs[at + 1]!;
  }
  return nodes;
}

/** Whether calls in the order of their ids are those that the graph was made from: the first of each node names it. */
export function fitsCalls(graph: GraphShape, nodeOf: Int32Array, calls: readonly Call[], areFlows: boolean): boolean {
  if (calls.length < nodeOf.length) return false;
  const seen = new Set<number>();
  for (let at = 0; at < nodeOf.length; at++) {
    const node = nodeOf[at]!;
    if (seen.has(node)) continue;
    seen.add(node);
    const shape = graph.nodes[node];
    if (shape?.is_flow !== areFlows || shape.id !== calls[at]!.id) return false;
  }
  return true;
}

/** Calls in the order of their ids, and the node of each: -1 for one that is left out. */
export interface Assigned {
  calls: readonly Call[];
  nodeOf: Int32Array;
}

/** The tally of each node by its number; subflows have those of their task runs too. */
export function tallies(graph: GraphShape, tasks: Assigned, flows: Assigned | undefined): Tally[] {
  const made = graph.nodes.map(empty);
  for (const each of flows ? [tasks, flows] : [tasks]) {
    const until = Math.min(each.nodeOf.length, each.calls.length);
    for (let at = 0; at < until; at++) {
      const tally = made[each.nodeOf[at]!];
      if (tally) add(tally, each.calls[at]!);
    }
  }
  const number = new Map(graph.nodes.map((node, at) => [node.id, at]));
  graph.nodes.forEach((node, at) => {
    if (node.is_flow && !flows) made[at] = told(node);
    made[at]!.state = worst(made[at]!.counts) || made[at]!.state;
    if (node.is_flow) made[at]!.inner = empty();
  });
  graph.nodes.forEach((node, at) => {
    if (node.is_flow) return;
    for (let around = number.get(node.within); around !== undefined; around = number.get(graph.nodes[around]!.within)) {
      join(made[around]!.inner!, made[at]!);
    }
  });
  for (const { inner } of made) if (inner) inner.state = worst(inner.counts);
  return made;
}

function join(sum: Tally, one: Tally): void {
  for (const state of STATES) {
    const more = one.counts[state];
    if (more) sum.counts[state] = (sum.counts[state] ?? 0) + more;
  }
  sum.total += one.total;
}

/** What the server said of a node, which is what is known until its calls are read. */
export function told(node: NodeShape): Tally {
  const tally = empty();
  tally.state = node.state;
  const names = Object.entries(node.states);
  if (names.length === 1) tally.stateName = names[0]![0];
  // A name that refines a state, such as "Cached", does not say which.
  const counts = Object.fromEntries(countsInOrder(node.states));
  const known = Object.values(counts).reduce((sum, n) => sum + n, 0);
  if (known === node.count) tally.counts = counts;
  else if (names.length === 1) tally.counts = { [node.state as State]: node.count };
  tally.total = Object.keys(tally.counts).length ? node.count : 0;
  return tally;
}

/** What a node counts: a subflow its task runs, anything else its calls. */
export function counted(tally: Tally): Tally {
  return tally.inner?.total ? tally.inner : tally;
}

export function done(tally: Tally): number {
  let sum = 0;
  for (const state of STATES) if (isFinal(state)) sum += tally.counts[state] ?? 0;
  return sum;
}

/** The worst state of a node with all that is folded into it. */
export function shining(tally: Tally): string {
  const inner = tally.inner?.state ?? "";
  return wentWrong(inner) && !wentWrong(tally.state) ? inner : tally.state;
}

/** "37/100, 2 failed": how far what a node counts has come. */
export function progress(tally: Tally): string {
  const { counts, total } = counted(tally);
  if (!total) return "";
  const wrong = (["FAILED", "CRASHED", "CANCELLED"] as const)
    .filter((state) => counts[state])
    .map((state) => `${count(counts[state]!)} ${lookOf(state).label.toLowerCase()}`);
  return [`${count(done(counted(tally)))}/${count(total)}`, ...wrong].join(", ");
}

/** "1.2 s", "12 ms to 1.2 s", or how long it has run already. */
export function spans(tally: Tally, now: number): string {
  if (tally.since) return duration(Math.max(0, now - tally.since));
  if (tally.longest < 0) return "";
  const [low, high] = [duration(tally.shortest), duration(tally.longest)];
  return low === high ? low : `${low} to ${high}`;
}

/** Whether two say the same, so that nothing need be drawn anew. */
export function same(one: Tally, other: Tally): boolean {
  return (
    one === other ||
    (one.state === other.state &&
      one.stateName === other.stateName &&
      one.total === other.total &&
      one.since === other.since &&
      one.shortest === other.shortest &&
      one.longest === other.longest &&
      STATES.every((state) => one.counts[state] === other.counts[state]) &&
      (one.inner && other.inner ? same(one.inner, other.inner) : one.inner === other.inner))
  );
}
