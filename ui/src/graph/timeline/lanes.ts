/** Packing what ran into lanes, in each of which things follow one another: as many lanes as ran at once. */

import { attemptsOf } from "./model";
import type { AllTried, Piece, Tried } from "./model";

/** What stands in one lane, in the order of time. Ends and states are asked of `at`, since they change. */
export interface Lane {
  pieces: Piece[];
  /** The attempt that stands there; the piece itself for its newest one. */
  at: Tried[];
}

/** Seconds by which two may overlap and still follow one another: clocks are not that exact. */
const TOGETHER = 0.0005;

export function laneOf(piece: Piece, tried: readonly Tried[] | undefined): Lane {
  const at = attemptsOf(piece, tried);
  return { pieces: at.map(() => piece), at };
}

/** Every attempt of all pieces, each in the first lane that is free when it begins. */
export function packed(pieces: readonly Piece[], tried: AllTried): Lane[] {
  const all: [piece: Piece, at: Tried][] = [];
  for (const piece of pieces) for (const at of attemptsOf(piece, tried.get(piece.id))) all.push([piece, at]);
  all.sort(([, a], [, b]) => a.started - b.started);
  const lanes: Lane[] = [];
  const free = new Heap<number>((a, b) => a - b);
  const busy = new Heap<{ end: number; lane: number }>((a, b) => a.end - b.end);
  for (const [piece, at] of all) {
    while (busy.first && busy.first.end <= at.started + TOGETHER) free.add(busy.take()!.lane);
    const lane = free.take() ?? lanes.push({ pieces: [], at: [] }) - 1;
    lanes[lane]!.pieces.push(piece);
    lanes[lane]!.at.push(at);
    busy.add({ end: at.ended ? Math.max(at.ended, at.started) : Infinity, lane });
  }
  return lanes;
}

/** The place of the last one in a lane that began at or before a time; -1 for none. */
export function placeIn(lane: Lane, time: number): number {
  let [low, high] = [0, lane.at.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lane.at[middle]!.started <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

class Heap<T> {
  private readonly items: T[] = [];

  constructor(private readonly compare: (a: T, b: T) => number) {}

  get first(): T | undefined {
    return this.items[0];
  }

  add(item: T): void {
    const { items, compare } = this;
    let at = items.push(item) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (compare(items[above]!, item) <= 0) break;
      items[at] = items[above]!;
      at = above;
    }
    items[at] = item;
  }

  take(): T | undefined {
    const { items, compare } = this;
    const first = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return first;
    let at = 0;
    for (let below = 1; below < items.length; below = 2 * at + 1) {
      if (below + 1 < items.length && compare(items[below + 1]!, items[below]!) < 0) below += 1;
      if (compare(last, items[below]!) <= 0) break;
      items[at] = items[below]!;
      at = below;
    }
    items[at] = last;
    return first;
  }
}
