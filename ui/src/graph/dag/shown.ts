/** Which nodes and links of a graph are drawn: subflows are folded until they are opened. Pure. */

import type { Shapes } from "~/lib/http";

export type GraphShape = Shapes["Graph"];
export type NodeShape = Shapes["Node"];

export interface ShownNode {
  node: NodeShape;
  /** The open subflow that it is drawn in; "" for none. */
  parent: string;
  /** Whether it can be opened to show what is in it, and is open. */
  opens: boolean;
  isOpen: boolean;
}

export interface ShownLink {
  source: string;
  target: string;
  /** Whether the target waits for the outcome; else the source only calls it. */
  takes: boolean;
  label: string;
  isMapped: boolean;
}

export interface Shown {
  nodes: ShownNode[];
  links: ShownLink[];
  byId: Map<string, ShownNode>;
  /** The drawn node that each node is, or is folded into. */
  drawnAs: Map<string, string>;
}

/** What is drawn of a graph. With `root`, only what that subflow made, as if it were the whole. */
export function shownOf(graph: GraphShape, open: ReadonlySet<string>, root = ""): Shown {
  const all = new Map(graph.nodes.map((node) => [node.id, node]));
  const isContainer = new Set(graph.nodes.map((node) => node.within).filter(Boolean));
  const drawnAs = new Map<string, string>();
  const nodes: ShownNode[] = [];
  for (const node of graph.nodes) {
    // What is around a node comes before it, so that it is known already.
    const around = node.within === root ? undefined : all.get(node.within);
    if (!around) {
      if (node.within !== root) continue;
    } else {
      const drawn = drawnAs.get(around.id);
      if (drawn === undefined) continue;
      if (drawn !== around.id || !open.has(around.id)) {
        drawnAs.set(node.id, drawn);
        continue;
      }
    }
    drawnAs.set(node.id, node.id);
    const opens = isContainer.has(node.id) || (node.is_map && node.count > 1);
    nodes.push({ node, parent: around?.id ?? "", opens, isOpen: opens && open.has(node.id) });
  }
  const byId = new Map(nodes.map((shown) => [shown.node.id, shown]));
  return { nodes, links: linksOf(graph, drawnAs, byId), byId, drawnAs };
}

function linksOf(graph: GraphShape, drawnAs: Map<string, string>, byId: Map<string, ShownNode>): ShownLink[] {
  const isAround = (outer: string, inner: string) => {
    for (let one = byId.get(inner)?.parent; one; one = byId.get(one)?.parent) if (one === outer) return true;
    return false;
  };
  const links = new Map<string, ShownLink>();
  for (const edge of graph.edges) {
    const [source, target] = [drawnAs.get(edge.source), drawnAs.get(edge.target)];
    if (!source || !target || source === target) continue;
    // That a subflow calls what is drawn in it is seen already.
    if (isAround(source, target) || isAround(target, source)) continue;
    const key = `${source} ${target}`;
    const known = links.get(key);
    if (!known) {
      links.set(key, { source, target, takes: edge.takes, label: edge.label, isMapped: edge.is_mapped });
      continue;
    }
    known.takes ||= edge.takes;
    known.isMapped ||= edge.is_mapped;
    if (edge.label) known.label = known.label ? `${known.label}, ${edge.label}` : edge.label;
  }
  return [...links.values()];
}

/** What comes before and after a drawn node, itself included. */
export function coneOf(shown: Shown, id: string): ReadonlySet<string> {
  const cone = new Set<string>([id]);
  for (const isForward of [true, false]) {
    const next = new Map<string, string[]>();
    for (const { source, target } of shown.links) {
      const [from, to] = isForward ? [source, target] : [target, source];
      const list = next.get(from);
      if (list) list.push(to);
      else next.set(from, [to]);
    }
    const waiting = [id];
    const seen = new Set(waiting);
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      for (const other of next.get(one) ?? []) {
        if (seen.has(other)) continue;
        seen.add(other);
        waiting.push(other);
      }
    }
    for (const one of seen) cone.add(one);
  }
  // What is drawn around them, and, of an open subflow itself, what is in it.
  for (const one of Array.from(cone)) {
    for (let parent = shown.byId.get(one)?.parent; parent; parent = shown.byId.get(parent)?.parent) cone.add(parent);
  }
  const within = new Set([id]);
  for (const { node, parent } of shown.nodes) if (within.has(parent)) cone.add(within.add(node.id) && node.id);
  return cone;
}

/** Drawn nodes whose name, or the name of something folded into them, contains a text. */
export function found(graph: GraphShape, shown: Shown, text: string): ReadonlySet<string> {
  const wanted = text.trim().toLowerCase();
  const those = new Set<string>();
  if (!wanted) return those;
  for (const node of graph.nodes) {
    const drawn = shown.drawnAs.get(node.id);
    if (drawn && node.name.toLowerCase().includes(wanted)) those.add(drawn);
  }
  return those;
}
