/** Layouts of what does not hang together, packed beside and below each other. */

import { layered } from "./layered";
import type { Layered, Size } from "./layered";
import type { Numbered } from "./layers";

/** Pixels between parts that do not hang together. */
const APART = 22;
/** How much wider than high the whole would best be. */
const SHAPE = 1.7;

/** Lay out any acyclic graph, further right what comes later. Parts are in the order of their first nodes. */
export function packed(sizes: readonly Size[], links: Numbered["links"], shape = SHAPE): Layered {
  const parts = partsOf(sizes.length, links);
  if (parts.length === 1) return layered(sizes, links);
  const numberIn = new Map<number, number>();
  parts.forEach((part) => part.nodes.forEach((node, at) => numberIn.set(node, at)));
  const laid = parts.map(({ nodes, links: own }) =>
    layered(
      nodes.map((node) => sizes[node]!),
      own.map((link) => links[link]!).map(([a, b]) => [numberIn.get(a)!, numberIn.get(b)!] as const),
    ),
  );
  const area = laid.reduce((sum, one) => sum + (one.width + APART) * (one.height + APART), 0);
  const room = Math.max(Math.sqrt(area * shape), ...laid.map((one) => one.width));

  const whole: Layered = { width: 0, height: 0, places: [], routes: links.map(() => []) };
  let x = 0;
  let y = 0;
  let high = 0;
  laid.forEach((one, at) => {
    if (x > 0 && x + one.width > room) {
      [x, y, high] = [0, y + high + APART, 0];
    }
    parts[at]!.nodes.forEach((node, n) => {
      whole.places[node] = { x: one.places[n]!.x + x, y: one.places[n]!.y + y };
    });
    parts[at]!.links.forEach((link, n) => {
      whole.routes[link] = one.routes[n]!.map((value, k) => value + (k % 2 ? y : x));
    });
    whole.width = Math.max(whole.width, x + one.width);
    whole.height = Math.max(whole.height, y + one.height);
    high = Math.max(high, one.height);
    x += one.width + APART;
  });
  return whole;
}

interface Part {
  nodes: number[];
  links: number[];
}

function partsOf(count: number, links: Numbered["links"]): Part[] {
  const root = Array.from({ length: count }, (_, node) => node);
  const find = (node: number): number => {
    while (root[node] !== node) node = root[node] = root[root[node]!]!;
    return node;
  };
  for (const [a, b] of links) {
    const [one, other] = [find(a), find(b)];
    root[Math.max(one, other)] = Math.min(one, other);
  }
  const parts = new Map<number, Part>();
  for (let node = 0; node < count; node++) {
    const of = find(node);
    const part = parts.get(of) ?? { nodes: [], links: [] };
    part.nodes.push(node);
    parts.set(of, part);
  }
  links.forEach(([source], at) => parts.get(find(source))!.links.push(at));
  return [...parts.values()];
}
