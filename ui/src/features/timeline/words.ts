/** What is said of a place in the timeline, to who cannot see it and to who asks. */

import type { Piece, Tried } from "~/graph/timeline/model";
import { beginOf, isReused } from "~/graph/timeline/model";
import type { Row } from "~/graph/timeline/rows";
import { plural } from "~/lib/numbers";
import { countsInOrder, lookOf } from "~/lib/state";
import { duration } from "~/lib/times";
import { plainText } from "~/graph/timeline/text";

export interface Thing {
  row: Row;
  piece?: Piece;
  at?: Tried;
}

/** "4 failed, 8 completed" */
export function statesIn(pieces: readonly Piece[]): string {
  const counts: Record<string, number> = {};
  for (const piece of pieces) counts[piece.state] = (counts[piece.state] ?? 0) + 1;
  return countsInOrder(counts)
    .map(([state, count]) => `${count} ${lookOf(state).label.toLowerCase()}`)
    .join(", ");
}

/** One sentence about a place, for a screen reader. */
export function spoken(thing: Thing, tried: readonly Tried[] | undefined, origin: number, now: number): string {
  const { row, piece, at } = thing;
  if (!piece || (row.kind === "group" && !at)) {
    const folded = row.isOpen ? "unfolded" : "folded";
    return `Group ${plainText(row.label)}, ${folded}, ${plural(row.pieces.length, "run")}: ${statesIn(row.pieces)}.`;
  }
  const begin = at?.started ?? beginOf(piece, tried);
  const facts = [
    plainText(piece.name),
    at?.stateName || piece.stateName || lookOf(piece.state).label,
    piece.attempt > 1 && `attempt ${at?.attempt ?? piece.attempt} of ${piece.attempt}`,
    at ? `from ${duration(Math.max(0, begin - origin))} after the start` : "not begun",
    at && `took ${duration((at.ended || now) - at.started)}`,
    isReused(piece) && "reused",
    (at ?? piece).message && plainText((at ?? piece).message),
  ];
  return `${facts.filter(Boolean).join(", ")}.`;
}
