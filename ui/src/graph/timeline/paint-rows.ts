/** The rows that are seen: what stands behind the bars, the bars, what lies over them, and the labels beside them. */

import { colourOf } from "~/graph/patterns";
import { ICONS } from "~/lib/icons";
import type { IconName } from "~/lib/icons";
import { count } from "~/lib/numbers";
import { lookOf, wentWrong } from "~/lib/state";
import { colour } from "~/lib/theme";
import { paintLane, paintPiece, paintRemark } from "./paint-bars";
import { beginOf } from "./model";
import { GROUP_MARGIN, rowAt } from "./rows";
import type { Row } from "./rows";
import { xOf } from "./scene";
import type { Scene } from "./scene";
import { laneHeightOf, spotOf, thingAt } from "./spots";
import { fitting, font, widthOf } from "./text";
import type { Tick } from "./ticks";

/** Pixels by which what lies within a group is moved in. */
const INDENT = 14;
/** Pixels of a lane from which on names stand in it. */
const LEAST_FOR_NAMES = 14;
/** Pixels of a folded group from which on there are two lines of labels, and below which there is little room for one. */
const LEAST_FOR_TWO_LINES = 40;
const NARROW_GUTTER = 150;

export function paintRows(draw: CanvasRenderingContext2D, scene: Scene, ticks: readonly Tick[]): void {
  const { rows } = scene.layout;
  const { width, height, gutter, top } = scene;
  draw.clearRect(0, 0, width, height);
  draw.textBaseline = "middle";
  paintGrid(draw, scene, ticks);
  const first = Math.max(0, rowAt(rows, top));
  for (let n = first; n < rows.length && rows[n]!.y < top + height; n += 1) paintBehind(draw, scene, n);
  draw.save();
  draw.beginPath();
  draw.rect(gutter, 0, width - gutter, height);
  draw.clip();
  for (let n = first; n < rows.length && rows[n]!.y < top + height; n += 1) paintRow(draw, scene, rows[n]!);
  paintPath(draw, scene);
  paintOver(draw, scene);
  for (let n = first; n < rows.length && rows[n]!.y < top + height; n += 1) {
    const { piece, kind, isOpen, y, height } = rows[n]!;
    if (piece && (kind === "piece" || isOpen)) paintRemark(draw, scene, piece, y - top + height / 2);
  }
  paintSpot(draw, scene);
  draw.restore();
  if (gutter) paintLabels(draw, scene, first);
}

function paintGrid(draw: CanvasRenderingContext2D, scene: Scene, ticks: readonly Tick[]): void {
  draw.fillStyle = colour("--line");
  for (const tick of ticks) {
    const x = Math.round(xOf(scene, scene.axis.time(tick.at)));
    if (x > scene.gutter) draw.fillRect(x, 0, 1, scene.height);
  }
}

function paintBehind(draw: CanvasRenderingContext2D, scene: Scene, n: number): void {
  const row = scene.layout.rows[n]!;
  const y = row.y - scene.top;
  const isChosen = scene.chosen !== "" && row.piece?.id === scene.chosen;
  if (isChosen || scene.hover?.row === n) {
    draw.fillStyle = colour(isChosen ? "--selected" : "--hover");
    draw.fillRect(0, y, scene.width, row.height);
  }
  if (row.kind !== "group" || n === 0) return;
  draw.fillStyle = colour("--line");
  draw.fillRect(0, Math.round(y), scene.width, 1);
}

function paintRow(draw: CanvasRenderingContext2D, scene: Scene, row: Row): void {
  const y = row.y - scene.top;
  if (row.kind === "piece") paintPiece(draw, scene, row.piece!, y, row.height);
  else if (row.kind === "lane") paintLane(draw, scene, row.lanes[0]!, y + 2, row.height - 4, true);
  else if (row.isOpen && row.piece) paintPiece(draw, scene, row.piece, y, row.height);
  else if (row.isOpen) return;
  else {
    const lane = laneHeightOf(row);
    row.lanes.forEach((one, n) => {
      const top = y + GROUP_MARGIN + n * lane;
      if (top + lane > 0 && top < scene.height) paintLane(draw, scene, one, top, lane - 1, lane >= LEAST_FOR_NAMES);
    });
  }
}

/** Bars narrower than this have a line below them; more than so many that are seen are not joined. */
const LEAST_TO_OUTLINE = 7;
const MOST_TO_JOIN = 120;

/** The critical path: a line around each of its bars, and from each to the next. */
function paintPath(draw: CanvasRenderingContext2D, scene: Scene): void {
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
function paintOver(draw: CanvasRenderingContext2D, scene: Scene): void {
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
function paintSpot(draw: CanvasRenderingContext2D, scene: Scene): void {
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

function paintLabels(draw: CanvasRenderingContext2D, scene: Scene, first: number): void {
  const { rows } = scene.layout;
  const { gutter, height, top } = scene;
  draw.textAlign = "left";
  for (let n = first; n < rows.length && rows[n]!.y < top + height; n += 1) paintLabel(draw, scene, n);
  draw.fillStyle = colour("--line");
  draw.fillRect(gutter - 1, 0, 1, height);
}

function paintLabel(draw: CanvasRenderingContext2D, scene: Scene, n: number): void {
  const row = scene.layout.rows[n]!;
  const isGroup = row.kind === "group";
  const y = row.y - scene.top + (isGroup && !row.isOpen ? Math.min(row.height / 2, 14) : row.height / 2);
  let x = 8 + Math.min(row.depth, 6) * INDENT;
  let room = scene.gutter - 8 - x;
  if (row.kind === "lane") {
    draw.font = font(11);
    draw.fillStyle = colour("--soft");
    draw.fillText(row.label, x, y);
    return;
  }
  if (isGroup) {
    icon(draw, row.isOpen ? "down" : "right", x, y, 12, colour("--soft"));
    x += 16;
    room -= 16;
    room -= tell(draw, scene, row, y);
  }
  if (row.piece?.isFlow) {
    icon(draw, "flow", x, y, 12, colour("--soft"));
    x += 16;
    room -= 16;
  }
  const state = row.piece?.state ?? "COMPLETED";
  if (state !== "COMPLETED") {
    icon(draw, lookOf(state).icon, x, y, 12, colourOf(state));
    x += 16;
    room -= 16;
  }
  draw.font = font(12.5, isGroup ? 600 : 400);
  draw.fillStyle = colour("--ink");
  draw.fillText(fitting(draw, row.label, room), x, y + 0.5);
}

const told = new WeakMap<Row, { wrong: number; waiting: number }>();

/** How many of a group went wrong and wait; counted once for each picture. */
function countsOf(row: Row): { wrong: number; waiting: number } {
  let counts = told.get(row);
  if (!counts) {
    counts = { wrong: 0, waiting: 0 };
    for (const piece of row.pieces) {
      counts.wrong += Number(wentWrong(piece.state));
      counts.waiting += Number(!piece.ended && (!piece.started || piece.state === "SCHEDULED"));
    }
    told.set(row, counts);
  }
  return counts;
}

/** How many are in a group, and how many of them went wrong; returns the room that it takes. */
function tell(draw: CanvasRenderingContext2D, scene: Scene, row: Row, y: number): number {
  const { wrong, waiting } = countsOf(row);
  const hasLine = !row.isOpen && row.height >= LEAST_FOR_TWO_LINES;
  const isNarrow = hasLine && scene.gutter < NARROW_GUTTER;
  const text = wrong ? `${count(wrong)}/${count(row.pieces.length)}` : count(row.pieces.length);
  if (hasLine && (waiting || isNarrow)) {
    const line = [isNarrow && text, waiting && `${count(waiting)} waiting`].filter(Boolean).join(" · ");
    draw.font = font(11, isNarrow && wrong ? 600 : 400);
    draw.fillStyle = colour(isNarrow && wrong ? "--bad" : waiting ? "--waiting" : "--soft");
    const x = 24 + row.depth * INDENT;
    draw.fillText(fitting(draw, line, scene.gutter - x - 6), x, y + 17);
  }
  if (isNarrow) return 0;
  draw.font = font(11, wrong ? 600 : 400);
  const width = widthOf(draw, text);
  const x = scene.gutter - 10 - width;
  draw.fillStyle = colour(wrong ? "--bad" : "--soft");
  draw.fillText(text, x, y + 0.5);
  if (!wrong) return width + 8;
  icon(draw, lookOf("FAILED").icon, x - 14, y, 11, colour("--bad"));
  return width + 22;
}

const shapes = new Map<IconName, Path2D>();

function icon(
  draw: CanvasRenderingContext2D,
  name: IconName,
  x: number,
  y: number,
  size: number,
  stroke: string,
): void {
  let shape = shapes.get(name);
  if (!shape) shapes.set(name, (shape = new Path2D(ICONS[name])));
  draw.save();
  draw.translate(x, y - size / 2);
  draw.scale(size / 16, size / 16);
  draw.strokeStyle = stroke;
  draw.lineWidth = 1.8;
  draw.lineCap = draw.lineJoin = "round";
  draw.stroke(shape);
  draw.restore();
}
