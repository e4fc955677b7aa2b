/**
 * The critical path: the chain of pieces that decided when the last one ended. From the last one backwards: what a piece
 * waited for was the upstream that ended last; or, where it waited though all of that was there, the piece that made
 * room for it; or, where it took nothing from anyone, the one after whose end it was called.
 */

import { attemptsOf, beginOf } from "./model";
import type { AllTried, Piece } from "./model";

/** What the next one waited for: its outcome, a free place, or that the flow went on. */
export type Link = "outcome" | "place" | "time";

export interface CriticalPath {
  /** First one first. */
  pieces: Piece[];
  /** Between each and the next. */
  links: Link[];
  /** Seconds in which one of them ran, and from when the first was accepted to the end of the last. */
  ran: number;
  length: number;
}

/** Seconds within which two times are the same: what lies between them is the engine's own work. */
const AT_ONCE = 0.02;

const NONE: CriticalPath = { pieces: [], links: [], ran: 0, length: 0 };

/** @param now The end of what has none yet. */
export function criticalPath(all: Iterable<Piece>, tried: AllTried, now: number): CriticalPath {
  const ended = (piece: Piece) => Math.max(piece.started, piece.ended || now);
  const begun = [...all].filter((piece) => piece.started && !piece.isFlow);
  const byEnd = begun.sort((a, b) => ended(a) - ended(b) || (a.id < b.id ? -1 : 1));
  const last = byEnd.at(-1);
  if (!last) return NONE;
  const byId = new Map(byEnd.map((piece) => [piece.id, piece]));
  const lastBefore = (time: number): Piece | undefined => {
    let [low, high] = [0, byEnd.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ended(byEnd[middle]!) <= time) low = middle + 1;
      else high = middle;
    }
    return byEnd[low - 1];
  };
  const before = (piece: Piece): [Piece, Link] | undefined => {
    const begin = beginOf(piece, tried.get(piece.id));
    let taken: Piece | undefined;
    for (const id of piece.upstream) {
      const one = byId.get(id);
      if (one && ended(one) <= begin + AT_ONCE && (!taken || ended(one) > ended(taken))) taken = one;
    }
    const ready = Math.max(piece.created, taken ? ended(taken) : 0);
    const made = lastBefore(begin);
    if (begin - ready > AT_ONCE && made && ended(made) > ready) return [made, "place"];
    if (taken && ended(taken) >= piece.created - AT_ONCE) return [taken, "outcome"];
    const previous = lastBefore(piece.created);
    return previous ? [previous, "time"] : taken ? [taken, "outcome"] : undefined;
  };
  const pieces = [last];
  const links: Link[] = [];
  const seen = new Set([last.id]);
  for (let found = before(last); found && !seen.has(found[0].id); found = before(found[0])) {
    pieces.unshift(found[0]);
    links.unshift(found[1]);
    seen.add(found[0].id);
  }
  const ran = pieces
    .flatMap((piece) => attemptsOf(piece, tried.get(piece.id)))
    .reduce((sum, one) => sum + Math.max(0, (one.ended || now) - one.started), 0);
  return { pieces, links, ran, length: ended(last) - pieces[0]!.created };
}
