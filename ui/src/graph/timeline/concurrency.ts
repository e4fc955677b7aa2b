/** How many ran at once, over time. */

import { attemptsOf } from "./model";
import type { AllTried, Piece } from "./model";

/** From each time on, up to the next, so many ran. */
export interface Steps {
  times: Float64Array;
  counts: Int32Array;
  most: number;
}

/** What has no end yet runs on. */
export function stepsOf(pieces: Iterable<Piece>, tried: AllTried): Steps {
  const starts: number[] = [];
  const ends: number[] = [];
  for (const piece of pieces) {
    if (piece.isFlow) continue;
    for (const one of attemptsOf(piece, tried.get(piece.id))) {
      starts.push(one.started);
      if (one.ended) ends.push(Math.max(one.started, one.ended));
    }
  }
  const [began, over] = [Float64Array.from(starts).sort(), Float64Array.from(ends).sort()];
  const times = new Float64Array(began.length + over.length);
  const counts = new Int32Array(times.length);
  let [b, o, count, most] = [0, 0, 0, 0];
  for (let n = 0; n < times.length; n += 1) {
    // What ends as another begins makes room for it first.
    const isEnd = o < over.length && (b >= began.length || over[o]! <= began[b]!);
    times[n] = isEnd ? over[o++]! : began[b++]!;
    count += isEnd ? -1 : 1;
    counts[n] = count;
    if (count > most) most = count;
  }
  return { times, counts, most };
}

/** The most that ran at once within each of `columns` stretches; `timeAt` says where each begins and the last one ends. */
export function mostPerColumn(steps: Steps, columns: number, timeAt: (column: number) => number): Int32Array {
  const found = new Int32Array(columns);
  let at = lastAt(steps.times, timeAt(0));
  for (let column = 0; column < columns; column += 1) {
    const end = timeAt(column + 1);
    let most = at >= 0 ? steps.counts[at]! : 0;
    while (at + 1 < steps.times.length && steps.times[at + 1]! < end) most = Math.max(most, steps.counts[++at]!);
    found[column] = most;
  }
  return found;
}

/** How many ran at a time. */
export function countAt(steps: Steps, time: number): number {
  const at = lastAt(steps.times, time);
  return at >= 0 ? steps.counts[at]! : 0;
}

function lastAt(times: Float64Array, time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
