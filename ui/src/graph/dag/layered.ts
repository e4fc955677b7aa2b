/**
 * A layered layout: what comes later stands further right. It is our own, since one of many hundreds of nodes is to be
 * there within a fraction of a second: dagre needs a minute for 1,500 nodes with 3,000 links.
 */

import { layersOf } from "./layers";
import type { Layers, Numbered } from "./layers";

export interface Size {
  width: number;
  height: number;
}

export interface Layered extends Size {
  /** Left and top of each node. */
  places: { x: number; y: number }[];
  /** The points of each link, as x, y, x, y, ... */
  routes: number[][];
}

/** Pixels between nodes of one layer, between a line and what lies beside it, and between layers. */
const BESIDE = 14;
const LINE_BESIDE = 9;
const BETWEEN = 44;
/** How much more room there is between layers for each of so many links: in steps, so that few changes move all. */
const STEP = 20;
const STEPS = [10, 40, 120];
const ROUNDS = 14;

/** Lay out nodes that hang together; see `packed` for those that do not. */
export function layered(sizes: readonly Size[], links: Numbered["links"]): Layered {
  const made = layersOf({ count: sizes.length, links });
  const heightOf = (one: number) => sizes[one]?.height ?? 0;
  const centres = centresOf(made, heightOf, sizes.length);

  const lefts: number[] = [];
  const widths = made.layers.map((layer) => Math.max(0, ...layer.map((one) => sizes[one]?.width ?? 0)));
  let x = 0;
  made.layers.forEach((layer, at) => {
    lefts.push(x);
    const leaving = layer.reduce((sum, one) => sum + made.after[one]!.length, 0);
    x += widths[at]! + BETWEEN + STEP * STEPS.filter((links) => leaving >= links).length;
  });

  const top = Math.min(...sizes.map((size, one) => centres[one]! - size.height / 2));
  const places = sizes.map((size, one) => ({
    x: lefts[made.rank[one]!]!,
    y: Math.round(centres[one]! - size.height / 2 - top),
  }));
  const middle = (one: number) => (places[one] ? places[one].y + heightOf(one) / 2 : Math.round(centres[one]! - top));
  const routes = links.map(([source, target], at) => {
    const from = made.rank[source]!;
    const points = [places[source]!.x + sizes[source]!.width, middle(source)];
    // Within its own layer a line goes straight on, past wider nodes.
    if (sizes[source]!.width < widths[from]!) points.push(lefts[from]! + widths[from]!, middle(source));
    for (const bend of made.bends[at] ?? []) {
      const layer = made.rank[bend]!;
      points.push(lefts[layer]!, middle(bend), lefts[layer]! + widths[layer]!, middle(bend));
    }
    points.push(places[target]!.x, middle(target));
    return points;
  });
  const last = made.layers.length - 1;
  return {
    places,
    routes,
    width: lefts[last]! + widths[last]!,
    height: Math.max(...places.map((place, one) => place.y + heightOf(one)), ...bottomOfLines(routes)),
  };
}

function bottomOfLines(routes: readonly number[][]): number[] {
  return routes.map((points) => points.reduce((lowest, value, at) => (at % 2 ? Math.max(lowest, value) : lowest), 0));
}

/** Where the middle of each node and bend lies across the layers: near what it is linked to, lines as straight as can be. */
function centresOf(made: Layers, heightOf: (one: number) => number, nodes: number): number[] {
  const centres = Array.from<number>({ length: made.rank.length }).fill(0);
  const isBend = (one: number) => one >= nodes;
  const gap = (a: number, b: number) =>
    (heightOf(a) + heightOf(b)) / 2 + (isBend(a) || isBend(b) ? LINE_BESIDE : BESIDE);
  const straight = (a: number, b: number) => (isBend(a) && isBend(b) ? 8 : isBend(a) || isBend(b) ? 3 : 1);
  for (const layer of made.layers) {
    layer.forEach((one, at) => (centres[one] = at ? centres[layer[at - 1]!]! + gap(layer[at - 1]!, one) : 0));
    const half = centres[layer.at(-1)!]! / 2;
    for (const one of layer) centres[one]! -= half;
  }
  const rounds = made.rank.length > 4_000 ? 6 : ROUNDS;
  for (let round = 0; round < rounds; round++) {
    const down = round % 2 === 0;
    for (let at = 0; at < made.layers.length; at++) {
      const layer = made.layers[down ? at : made.layers.length - 1 - at]!;
      const wanted: number[] = [];
      const weights: number[] = [];
      for (const one of layer) {
        // The last rounds look both ways, so that what was pulled to one side stands between the two.
        const both = round >= rounds - 2;
        const beside = both ? [...made.before[one]!, ...made.after[one]!] : down ? made.before[one]! : made.after[one]!;
        let sum = 0;
        let weight = 0;
        for (const other of beside) {
          const pull = straight(one, other);
          sum += pull * centres[other]!;
          weight += pull;
        }
        wanted.push(weight ? sum / weight : centres[one]!);
        weights.push(weight || 0.05);
      }
      settle(layer, wanted, weights, gap, centres);
    }
  }
  return centres;
}

/** Put what stands in a layer as near to where it should be as order and gaps allow: the least squares of all ways. */
function settle(
  layer: readonly number[],
  wanted: readonly number[],
  weights: readonly number[],
  gap: (a: number, b: number) => number,
  centres: number[],
): void {
  const offsets: number[] = [];
  const blocks: { at: number; weight: number; count: number }[] = [];
  layer.forEach((one, n) => {
    offsets.push(n ? offsets[n - 1]! + gap(layer[n - 1]!, one) : 0);
    let block = { at: wanted[n]! - offsets[n]!, weight: weights[n]!, count: 1 };
    // Whoever would stand too far up joins those before it, and all of them move to their middle.
    for (let last = blocks.at(-1); last && last.at >= block.at; last = blocks.at(-1)) {
      const weight = last.weight + block.weight;
      block = {
        at: (last.at * last.weight + block.at * block.weight) / weight,
        weight,
        count: last.count + block.count,
      };
      blocks.pop();
    }
    blocks.push(block);
  });
  let n = 0;
  for (const block of blocks) {
    for (let k = 0; k < block.count; k++, n++) centres[layer[n]!] = block.at + offsets[n]!;
  }
}
