/** What lies over the bars: the critical path, cuts of time, now, and what one points at. */

import { colour } from "~/lib/theme";
import { beginOf } from "./model";
import { GROUP_MARGIN } from "./rows";
import { xOf } from "./scene";
import type { Scene } from "./scene";
import { laneHeightOf, spotOf, thingAt } from "./spots";

/** Bars narrower than this have a line below them; more than so many that are seen are not joined. */
const LEAST_TO_OUTLINE = 7;
const MOST_TO_JOIN = 120;

/** The critical path: a line around each of its bars, and from each to the next. */
export function paintPath(draw: CanvasRenderingContext2D, scene: Scene): void {
  if (!scene.path) return;
  draw.strokeStyle = draw.fillStyle = colour("--accent");
  const joints: [x: number, y: number, toX: number, toY: number][] = [];
  let before: { x: number; y: number } | undefined;
  for (const piece of scene.path.pieces) {
    const spot = spotOf(scene.layout, piece.id);
    if (!spot) continue;
    const row = scene.layout.rows[spot.row]!;
    const isFolded = row.kind === "group" && !row.isOpen;
    const lane = isFolded ? laneHeightOf(row) : row.height;
    const top = row.y - scene.top + (isFolded ? GROUP_MARGIN + Math.max(0, spot.lane) * lane : 0);
    const from = xOf(scene, row.kind === "piece" ? beginOf(piece, scene.tried.get(piece.id)) : piece.started);
    const to = xOf(scene, Math.max(piece.started, piece.ended || scene.now));
    const isSeen = to >= scene.gutter && from <= scene.width && top < scene.height && top + lane > 0;
    if (isSeen && (isFolded || to - from < LEAST_TO_OUTLINE))
      draw.fillRect(from, top + lane - 2.5, Math.max(2, to - from), 2);
    else if (isSeen) outline(draw, from - 2, top + 2, to - from + 4, lane - 4);
    const middle = top + lane / 2;
    if (before && before.y !== middle) joints.push([before.x, before.y, from, middle]);
    before = { x: to, y: middle };
  }
  const seen = joints.filter(
    ([x, y, toX, toY]) =>
      toX >= scene.gutter && x <= scene.width && Math.max(y, toY) > 0 && Math.min(y, toY) < scene.height,
  );
  if (seen.length <= MOST_TO_JOIN) for (const joint of seen) connect(draw, ...joint);
}

function outline(draw: CanvasRenderingContext2D, x: number, y: number, width: number, height: number): void {
  draw.lineWidth = 1.5;
  draw.beginPath();
  draw.roundRect(x, y, width, height, 4);
  draw.stroke();
}

/** From the end of one to the beginning of the next, as straight as their times allow. */
function connect(draw: CanvasRenderingContext2D, fromX: number, fromY: number, toX: number, toY: number): void {
  const turn = Math.max(fromX + 2, toX - 3);
  draw.lineWidth = 1;
  draw.beginPath();
  draw.moveTo(fromX, fromY);
  if (turn - fromX < 12) draw.lineTo(toX, toY);
  else {
    draw.lineTo(turn, fromY);
    draw.lineTo(turn, toY);
    draw.lineTo(toX, toY);
  }
  draw.stroke();
}

/** What lies over the bars: where time is cut, where the run began anew, and now. */
export function paintOver(draw: CanvasRenderingContext2D, scene: Scene): void {
  for (const cut of scene.axis.cuts) {
    const [from, to] = [xOf(scene, cut.from), xOf(scene, cut.to)];
    if (to < scene.gutter || from > scene.width) continue;
    draw.fillStyle = colour("--sunken");
    draw.fillRect(from, 0, to - from, scene.height);
    tear(draw, from, scene.height);
    tear(draw, to, scene.height);
  }
  draw.fillStyle = colour("--planned");
  for (const one of scene.runAttempts.slice(1)) {
    const x = Math.round(xOf(scene, one.started));
    for (let y = 0; y < scene.height; y += 6) draw.fillRect(x, y, 1, 3);
  }
  if (!scene.isLive) return;
  draw.fillStyle = colour("--active");
  draw.fillRect(Math.round(xOf(scene, scene.now)), 0, 1, scene.height);
}

/** The edge of a cut. */
function tear(draw: CanvasRenderingContext2D, x: number, height: number): void {
  draw.strokeStyle = colour("--line-strong");
  draw.lineWidth = 1;
  draw.beginPath();
  for (let y = 0, side = -1; y <= height + 6; y += 6, side = -side) draw.lineTo(x + side * 1.5, y);
  draw.stroke();
}

/** What one points at, and what has the focus of keys. */
export function paintSpot(draw: CanvasRenderingContext2D, scene: Scene): void {
  const marks = [[scene.hover, "--ink"] as const, [scene.isFocused ? scene.focus : undefined, "--focus"] as const];
  for (const [spot, stroke] of marks) {
    const thing = spot && thingAt(scene.layout, spot);
    if (!thing) continue;
    const { row, at } = thing;
    draw.strokeStyle = colour(stroke);
    draw.lineWidth = stroke === "--focus" ? 2 : 1;
    if (at) {
      const isFolded = row.kind === "group" && !row.isOpen;
      const lane = laneHeightOf(row);
      const top = row.y - scene.top + (isFolded ? GROUP_MARGIN + spot.lane * lane : 3);
      const [from, to] = [xOf(scene, at.started), xOf(scene, Math.max(at.started, at.ended || scene.now))];
      draw.strokeRect(from - 1, top - 0.5, Math.max(2, to - from + 2), isFolded ? lane : lane - 5);
    } else if (stroke === "--focus")
      draw.strokeRect(scene.gutter + 1, row.y - scene.top + 1, scene.width - scene.gutter - 2, row.height - 2);
  }
}
