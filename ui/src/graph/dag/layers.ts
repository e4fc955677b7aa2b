/** The first half of a layered layout: which layer each node is in, and the order of the nodes within their layers. */

/** An acyclic graph of numbered nodes: each link goes from a smaller number to a greater one. */
export interface Numbered {
  count: number;
  links: readonly (readonly [source: number, target: number])[];
}

/**
 * Nodes in layers. Where a link passes layers, it has a bend in each of them: bends are numbered on from the nodes. Links
 * of one source share their bends, so that they are drawn as one line that parts late.
 */
export interface Layers {
  /** Nodes and bends of each layer, in order. */
  layers: number[][];
  /** Layer of each node and bend. */
  rank: number[];
  /** What is linked to each node and bend in the layer before, and after. */
  before: number[][];
  after: number[][];
  /** The bends of each link, in the order of the links; `undefined` for a link that is drawn straight. */
  bends: (readonly number[] | undefined)[];
}

/** Bends beyond which links are drawn straight instead, so that no graph takes long. */
const MOST_BENDS = 12_000;

export function layersOf(graph: Numbered): Layers {
  const rank = ranksOf(graph);
  const { count, links } = graph;
  const furthest = new Map<number, number>();
  for (const [source, target] of links) {
    furthest.set(source, Math.max(furthest.get(source) ?? 0, rank[target]!));
  }
  const chains = new Map<number, number[]>();
  let next = count;
  // The shortest first: those are what can be followed by eye.
  const bySpan = [...furthest].sort((a, b) => a[1] - rank[a[0]]! - (b[1] - rank[b[0]]!) || a[0] - b[0]);
  for (const [source, end] of bySpan) {
    const from = rank[source]!;
    if (next - count + end - from > MOST_BENDS) break;
    const chain: number[] = [];
    for (let layer = from + 1; layer < end; layer++) {
      rank[next] = layer;
      chain.push(next++);
    }
    chains.set(source, chain);
  }
  const before: number[][] = Array.from({ length: next }, () => []);
  const after: number[][] = Array.from({ length: next }, () => []);
  const join = (a: number, b: number) => {
    if (after[a]!.includes(b)) return;
    after[a]!.push(b);
    before[b]!.push(a);
  };
  const bends = links.map(([source, target]) => {
    const used = chains.get(source)?.slice(0, rank[target]! - rank[source]! - 1);
    if (used) [source, ...used, target].forEach((one, at, all) => at && join(all[at - 1]!, one));
    return used;
  });
  const layers: number[][] = [];
  for (let one = 0; one < next; one++) (layers[rank[one]!] ??= []).push(one);
  const made = { layers, rank, before, after, bends };
  sort(made);
  return made;
}

/** The layer of each node: as early as what comes before it allows, and no earlier than is of use to what comes after. */
export function ranksOf({ count, links }: Numbered): number[] {
  const into: number[][] = Array.from({ length: count }, () => []);
  const out: number[][] = Array.from({ length: count }, () => []);
  for (const [source, target] of links) {
    into[target]!.push(source);
    out[source]!.push(target);
  }
  const rank = Array.from<number>({ length: count }).fill(0);
  for (let node = 0; node < count; node++) {
    for (const source of into[node]!) rank[node] = Math.max(rank[node]!, rank[source]! + 1);
  }
  for (let node = count - 1; node >= 0; node--) {
    if (out[node]!.length <= into[node]!.length) continue;
    rank[node] = Math.max(rank[node]!, Math.min(...out[node]!.map((target) => rank[target]!)) - 1);
  }
  const first = Math.min(...rank.slice(0, 100_000));
  return first > 0 ? rank.map((one) => one - first) : rank;
}

/** Put each layer in an order in which few links cross: each node near the middle of what it is linked to. */
function sort(made: Layers): void {
  const { layers } = made;
  const size = made.rank.length;
  const place = Array.from<number>({ length: size }).fill(0);
  const note = (layer: number[]) => layer.forEach((one, at) => (place[one] = at));
  followed(made);
  layers.forEach(note);
  let best = layers.map((layer) => [...layer]);
  let fewest = crossings(made, place);
  const rounds = size > 4_000 ? 4 : size > 800 ? 8 : 16;
  for (let round = 0; round < rounds && fewest > 0; round++) {
    const down = round % 2 === 0;
    for (let at = 1; at < layers.length; at++) {
      const layer = layers[down ? at : layers.length - 1 - at]!;
      const beside = down ? made.before : made.after;
      const middle = new Map(layer.map((one) => [one, mean(beside[one]!, place) ?? place[one]!]));
      layer.sort((a, b) => middle.get(a)! - middle.get(b)! || place[a]! - place[b]!);
      note(layer);
    }
    const now = crossings(made, place);
    if (now < fewest) [fewest, best] = [now, layers.map((layer) => [...layer])];
  }
  best.forEach((layer, at) => {
    layers[at] = layer;
    note(layer);
  });
}

/** A first order: as one comes by when following the links, so that what belongs together lies together. */
function followed(made: Layers): void {
  const seen = new Set<number>();
  const layers: number[][] = made.layers.map(() => []);
  for (const start of made.layers.flat()) {
    const waiting = [start];
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      if (seen.has(one)) continue;
      seen.add(one);
      layers[made.rank[one]!]!.push(one);
      waiting.push(...made.after[one]!.toReversed());
    }
  }
  layers.forEach((layer, at) => (made.layers[at] = layer));
}

function mean(those: readonly number[], place: readonly number[]): number | undefined {
  if (those.length === 0) return undefined;
  let sum = 0;
  for (const one of those) sum += place[one]!;
  return sum / those.length;
}

/** How often links between neighbouring layers cross. */
function crossings(made: Layers, place: readonly number[]): number {
  let crossed = 0;
  for (let at = 1; at < made.layers.length; at++) {
    const below = made.layers[at]!.length;
    // A Fenwick tree of the ends so far: counting what lies beyond each end takes its logarithm only.
    const tree = new Int32Array(below + 1);
    let total = 0;
    for (const one of made.layers[at - 1]!) {
      const ends = made.after[one]!.map((other) => place[other]!);
      for (const end of ends) {
        let upTo = 0;
        for (let n = end + 1; n > 0; n -= n & -n) upTo += tree[n]!;
        crossed += total - upTo;
      }
      for (const end of ends) {
        for (let n = end + 1; n <= below; n += n & -n) tree[n]!++;
        total++;
      }
    }
  }
  return crossed;
}
