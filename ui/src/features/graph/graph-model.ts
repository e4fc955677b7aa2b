/** What the page of a graph decides. Pure. */

import { MOST_CELLS } from "~/graph/dag/sizes";
import type { GraphShape, NodeShape } from "~/graph/dag/shown";
import type { Call, Tally } from "~/graph/dag/tally";
import { wentWrong } from "~/lib/state";

/** Milliseconds: the least wait before a graph that grew is read anew, the usual between two readings, and the longest. */
const AT_ONCE = 80;
const USUAL = 700;
const LATE = 15_000;

/**
 * When a graph that grew is read anew: at once, but not often; the later, the longer reading it took; and less and less
 * often where what came did not fit.
 */
export function againAfter(reading: { took: number; ago: number; rounds: number; fits: boolean }): number {
  const usual = Math.max(USUAL, 4 * reading.took);
  const pause = Math.min(LATE, reading.fits ? usual : usual * 2 ** Math.max(0, reading.rounds - 1));
  return Math.max(AT_ONCE, pause - reading.ago);
}

/** A run and all subflow runs below it. */
export function within(run: string, subflows: readonly { id: string; parent: string }[]): ReadonlySet<string> {
  const those = new Set([run]);
  // Who calls is older than who is called.
  for (const { id, parent } of subflows) if (those.has(parent)) those.add(id);
  return those;
}

/** A graph with the nodes alone that have calls. */
export function onlyMade(graph: GraphShape, made: readonly Tally[]): GraphShape {
  const nodes: NodeShape[] = [];
  graph.nodes.forEach((node, at) => made[at]!.total && nodes.push({ ...node, count: made[at]!.total }));
  const kept = new Set(nodes.map((node) => node.id));
  return { ...graph, nodes, edges: graph.edges.filter((edge) => kept.has(edge.source) && kept.has(edge.target)) };
}

/** Calls of a map that are shown one by one: the first, and of the others those that went wrong; in their order. */
export function cellsOf<C extends Call>(calls: readonly C[], most = MOST_CELLS): { calls: C[]; more: number } {
  if (calls.length <= most) return { calls: [...calls], more: 0 };
  const wrong = calls.filter((call) => wentWrong(call.state)).slice(0, most);
  const chosen = new Set(wrong);
  for (let at = 0; chosen.size < most; at++) chosen.add(calls[at]!);
  return { calls: calls.filter((call) => chosen.has(call)), more: calls.length - most };
}

/** Those that went wrong first, then what is under way, then the rest; in their order each. */
export function byMatter<C extends Call>(calls: readonly C[]): C[] {
  const rank = (call: Call) => (wentWrong(call.state) ? 0 : call.state === "COMPLETED" ? 2 : 1);
  return [...calls].sort((a, b) => rank(a) - rank(b));
}

/** How deep each node lies in subflows, and the names of what comes right before it. */
export interface Listed {
  node: NodeShape;
  depth: number;
  after: string;
}

/** All nodes as a list: what a subflow made stands below it. With `root`, only what that made. */
export function listed(graph: GraphShape, root = ""): Listed[] {
  const inside = new Map<string, NodeShape[]>();
  for (const node of graph.nodes) {
    const those = inside.get(node.within);
    if (those) those.push(node);
    else inside.set(node.within, [node]);
  }
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const before = new Map<string, string[]>();
  for (const { source, target, takes } of graph.edges) {
    const name = byId.get(source)?.name;
    if (!takes || !name) continue;
    const names = before.get(target);
    if (names) names.push(name.slice(0, 80));
    else before.set(target, [name.slice(0, 80)]);
  }
  const rows: Listed[] = [];
  const add = (around: string, depth: number) => {
    for (const node of inside.get(around) ?? []) {
      rows.push({ node, depth, after: (before.get(node.id) ?? []).slice(0, 20).join(", ") });
      if (node.id !== around) add(node.id, depth + 1);
    }
  };
  add(root, 0);
  return rows;
}

/** Subflows that can be opened. */
export function foldable(graph: GraphShape): string[] {
  return [...new Set(graph.nodes.map((node) => node.within).filter(Boolean))];
}
