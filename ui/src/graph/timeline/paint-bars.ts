/** Bars: attempts as areas in the look of their state, waiting as thin lines. */

import { colourOf, fillOf, isOutlined } from "~/graph/patterns";
import { wentWrong } from "~/lib/state";
import { colour } from "~/lib/theme";
import { duration } from "~/lib/times";
import { placeIn } from "./lanes";
import type { Lane } from "./lanes";
import { isReused, segmentsOf } from "./model";
import type { Piece, Tried } from "./model";
import { timeOf, xOf } from "./scene";
import type { Scene } from "./scene";
import { fitting, font, widthOf } from "./text";

/** Pixels from which on an area has a pattern, a line around it, and round corners. */
const LEAST_FOR_PATTERN = 4;
/** Pixels of a bar that would have none; of one of something that went wrong, so that it is never missed. */
const THINNEST = 1;
const THINNEST_WRONG = 2.5;

export function paintBar(
  draw: CanvasRenderingContext2D,
  state: string,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  if (width < LEAST_FOR_PATTERN || height < LEAST_FOR_PATTERN) {
    draw.fillStyle = colourOf(state);
    draw.fillRect(x, y, Math.max(width, wentWrong(state) ? THINNEST_WRONG : THINNEST), height);
    return;
  }
  draw.beginPath();
  draw.roundRect(x, y, width, height, Math.min(3, height / 3));
  draw.fillStyle = fillOf(state);
  draw.fill();
  if (!isOutlined(state)) return;
  draw.beginPath();
  draw.roundRect(x + 0.5, y + 0.5, width - 1, height - 1, Math.min(3, height / 3));
  draw.strokeStyle = colourOf(state);
  draw.lineWidth = 1;
  draw.stroke();
}

/** A row of one piece: what it waited, each attempt, and the waits between them. */
export function paintPiece(
  draw: CanvasRenderingContext2D,
  scene: Scene,
  piece: Piece,
  y: number,
  height: number,
): void {
  const barHeight = piece.isFlow ? 6 : height - 8;
  const [top, middle] = [y + (height - barHeight) / 2, y + height / 2];
  const segments = segmentsOf(piece, scene.tried.get(piece.id), scene.now);
  let end = 0;
  for (const one of segments) {
    const [from, to] = [xOf(scene, one.from), xOf(scene, one.to)];
    end = to;
    if (to < scene.gutter || from > scene.width) continue;
    if (one.kind === "run") paintBar(draw, one.state, from, top, to - from, barHeight);
    else paintWait(draw, from, to, middle, one.kind === "retry");
  }
  if (piece.due > scene.now && !piece.ended) paintDue(draw, Math.max(end, scene.gutter), xOf(scene, piece.due), middle);
  if (piece.ended && !piece.started) paintDiamond(draw, piece.state, xOf(scene, piece.ended), middle);
}

function paintWait(draw: CanvasRenderingContext2D, from: number, to: number, y: number, isRetry: boolean): void {
  if (to - from < 1.5) return;
  draw.strokeStyle = colour(isRetry ? "--waiting" : "--line-strong");
  draw.lineWidth = 1;
  draw.setLineDash(isRetry ? [3, 2] : []);
  draw.beginPath();
  draw.moveTo(from, y);
  draw.lineTo(to, y);
  draw.stroke();
  draw.setLineDash([]);
  if (isRetry) return;
  draw.beginPath();
  draw.moveTo(from + 0.5, y - 3);
  draw.lineTo(from + 0.5, y + 3);
  draw.stroke();
}

/** When something that waits is to go on. */
function paintDue(draw: CanvasRenderingContext2D, from: number, to: number, y: number): void {
  draw.strokeStyle = colour("--planned");
  draw.lineWidth = 1;
  draw.setLineDash([1, 3]);
  draw.beginPath();
  draw.moveTo(from, y);
  draw.lineTo(to, y);
  draw.stroke();
  draw.setLineDash([]);
  draw.beginPath();
  draw.arc(to, y, 3, 0, 2 * Math.PI);
  draw.stroke();
}

/** What ended without having run. */
function paintDiamond(draw: CanvasRenderingContext2D, state: string, x: number, y: number): void {
  draw.fillStyle = colourOf(state);
  draw.beginPath();
  draw.moveTo(x, y - 4);
  draw.lineTo(x + 4, y);
  draw.lineTo(x, y + 4);
  draw.lineTo(x - 4, y);
  draw.fill();
}

/** What stands beside the bar of a piece. */
export function remarkOn(scene: Pick<Scene, "now" | "runAttempts">, piece: Piece): string {
  if (isReused(piece)) return "reused";
  const took = piece.started ? duration((piece.ended || scene.now) - piece.started) : "";
  const resumed = scene.runAttempts.at(-1);
  const kept =
    piece.ended && resumed && resumed.attempt > 1 && piece.ended < resumed.started && !wentWrong(piece.state);
  return [took, kept && "kept", piece.attempt > 1 && `attempt ${piece.attempt}`].filter(Boolean).join(" · ");
}

/** How long a piece took, beside its last bar. */
export function paintRemark(draw: CanvasRenderingContext2D, scene: Scene, piece: Piece, middle: number): void {
  const until = piece.ended || (piece.started || piece.attempt > 1 ? scene.now : piece.created);
  const end = xOf(scene, until);
  if (end < scene.gutter) return;
  const remark = remarkOn(scene, piece);
  if (!remark) return;
  draw.font = font(11);
  const x = end + 6;
  if (x + widthOf(draw, remark) > scene.width - 2) return;
  draw.fillStyle = colour("--soft");
  draw.textAlign = "left";
  draw.fillText(remark, x, middle + 0.5);
}

/** A lane, in which bars follow each other: those that are narrower than a pixel are drawn as one. */
export function paintLane(
  draw: CanvasRenderingContext2D,
  scene: Scene,
  lane: Lane,
  y: number,
  height: number,
  hasNames: boolean,
): void {
  const [seenFrom, seenTo] = [timeOf(scene, scene.gutter), timeOf(scene, scene.width)];
  const wrong: [state: string, x: number][] = [];
  let drawn = -Infinity;
  let last = "";
  for (let n = Math.max(0, placeIn(lane, seenFrom)); n < lane.at.length; n += 1) {
    const at = lane.at[n]!;
    if (at.started > seenTo) break;
    const from = xOf(scene, at.started);
    const to = xOf(scene, Math.max(at.started, at.ended || scene.now));
    const width = to - from;
    if (wentWrong(at.state) && width < LEAST_FOR_PATTERN) {
      wrong.push([at.state, from]);
      continue;
    }
    if (to < drawn + 0.5 && at.state === last) continue;
    // A hair between two of the same state, so that they are seen to be two, where there is room for one.
    const gap = width > 6 ? 0.75 : 0;
    const left = Math.max(from, Math.min(drawn, to - THINNEST));
    paintBar(draw, at.state, left, y, Math.max(THINNEST, to - left - gap), height);
    if (hasNames && width > 36) paintName(draw, at, lane.pieces[n]!, Math.max(left, scene.gutter), to, y + height / 2);
    drawn = to;
    last = at.state;
  }
  // On top of the others: what went wrong is never hidden by what did not.
  for (const [state, x] of wrong) paintBar(draw, state, x, y, THINNEST_WRONG, height);
}

function paintName(
  draw: CanvasRenderingContext2D,
  at: Tried,
  piece: Piece,
  from: number,
  to: number,
  middle: number,
): void {
  const isPlain = !isOutlined(at.state) && !wentWrong(at.state) && at.state !== "CANCELLING";
  if (!isPlain) return; // it could not be read on a pattern
  draw.font = font(11, 500);
  const name = fitting(draw, piece.name, to - from - 10);
  if (!name) return;
  draw.fillStyle = colour("--raised");
  draw.textAlign = "left";
  draw.fillText(name, from + 5, middle + 0.5);
}
