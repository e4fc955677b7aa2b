/** Places in a timeline that one can point at or move to: an attempt of a piece, or a row itself. */

import { placeIn } from "./lanes";
import type { Lane } from "./lanes";
import type { Piece, Tried } from "./model";
import { GROUP_MARGIN, rowAt } from "./rows";
import type { Layout, Row } from "./rows";

export interface Spot {
  row: number;
  /** -1 for the row itself. */
  lane: number;
  /** Which one in the lane. */
  place: number;
}

export type Step = "left" | "right" | "up" | "down" | "first" | "last";

/** Pixels of one lane of a row. */
export function laneHeightOf(row: Row): number {
  return row.kind === "group" && !row.isOpen ? (row.height - 2 * GROUP_MARGIN) / row.lanes.length : row.height;
}

/** What stands at a spot; `at` is the attempt. Nothing where the rows have changed meanwhile. */
export function thingAt(layout: Layout, spot: Spot): { row: Row; piece?: Piece; at?: Tried } | undefined {
  const row = layout.rows[spot.row];
  if (!row) return undefined;
  if (spot.lane < 0) return { row, piece: row.piece };
  const lane = row.lanes[spot.lane];
  return { row, piece: lane?.pieces[spot.place] ?? row.piece, at: lane?.at[spot.place] };
}

/**
 * What lies at a height and a time; the row alone, where that is empty there.
 *
 * @param slack Seconds by which one may miss a bar.
 */
export function spotAt(layout: Layout, y: number, time: number, slack: number, now: number): Spot | undefined {
  const n = rowAt(layout.rows, y);
  const row = layout.rows[n];
  if (!row) return undefined;
  const margin = row.kind === "group" && !row.isOpen ? GROUP_MARGIN : 0;
  const lane = Math.floor((y - row.y - margin) / laneHeightOf(row));
  const found = row.lanes[lane];
  if (!found) return { row: n, lane: -1, place: -1 };
  const end = (at: Tried) => Math.max(at.started, at.ended || now);
  const place = placeIn(found, time);
  if (place >= 0 && time <= end(found.at[place]!)) return { row: n, lane, place };
  // Beside a bar, the nearer one counts.
  const before = place >= 0 ? time - end(found.at[place]!) : Infinity;
  const next = found.at[place + 1];
  const after = next ? next.started - time : Infinity;
  if (Math.min(before, after) > slack) return { row: n, lane: -1, place: -1 };
  return { row: n, lane, place: before <= after ? place : place + 1 };
}

/** Where a key leads from a spot. Left and right stay in the lane as long as it goes on. */
export function moved(layout: Layout, from: Spot, step: Step, now: number): Spot {
  const { rows } = layout;
  const row = rows[from.row];
  if (!row) return entering(layout, 0, 1, undefined) ?? from;
  const at = row.lanes[from.lane]?.at[from.place];
  const time = at && (at.started + (at.ended || now)) / 2;
  if (step === "first") return entering(layout, 0, 1, -Infinity) ?? from;
  if (step === "last") return entering(layout, rows.length - 1, -1, Infinity) ?? from;
  if (step === "left" || step === "right") {
    const by = step === "left" ? -1 : 1;
    const place = from.place + by;
    if (from.lane >= 0 && row.lanes[from.lane]?.at[place]) return { ...from, place };
    return nextLane(layout, from, by, by > 0 ? -Infinity : Infinity) ?? from;
  }
  return nextLane(layout, from, step === "up" ? -1 : 1, time) ?? from;
}

function nextLane(layout: Layout, from: Spot, by: 1 | -1, time: number | undefined): Spot | undefined {
  const row = layout.rows[from.row]!;
  const lane = from.lane + by;
  if (from.lane >= 0 && lane >= 0 && row.lanes[lane])
    return { row: from.row, lane, place: nearest(row.lanes[lane], time) };
  return entering(layout, from.row + by, by, time);
}

/** The first spot of a row for who comes from above, the last one for who comes from below. */
function entering(layout: Layout, n: number, by: 1 | -1, time: number | undefined): Spot | undefined {
  const row = layout.rows[n];
  if (!row) return undefined;
  const lane = by > 0 ? 0 : row.lanes.length - 1;
  const found = row.lanes[lane];
  if (!found?.at.length) return { row: n, lane: -1, place: -1 };
  return { row: n, lane, place: nearest(found, time) };
}

function nearest(lane: Lane, time: number | undefined): number {
  if (time === undefined) return 0;
  return Math.min(Math.max(placeIn(lane, time), 0), lane.at.length - 1);
}

/** Where a piece stands: its newest attempt, or the row that it is folded into. */
export function spotOf(layout: Layout, piece: string): Spot | undefined {
  const n = layout.rowOf(piece);
  if (n === undefined) return undefined;
  const { lanes } = layout.rows[n]!;
  for (const [lane, { pieces }] of lanes.entries()) {
    const place = pieces.findLastIndex((one) => one.id === piece);
    if (place >= 0) return { row: n, lane, place };
  }
  return { row: n, lane: -1, place: -1 };
}
