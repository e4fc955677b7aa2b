/** The labels beside the rows: names, states that are no success, and how many are in a group. */

import { colourOf } from "~/graph/patterns";
import { ICONS } from "~/lib/icons";
import type { IconName } from "~/lib/icons";
import { count } from "~/lib/numbers";
import { lookOf, wentWrong } from "~/lib/state";
import { colour } from "~/lib/theme";
import type { Row } from "./rows";
import type { Scene } from "./scene";
import { fitting, font, widthOf } from "./text";

/** Pixels by which what lies within a group is moved in. */
const INDENT = 14;
/** Pixels of a folded group from which on there are two lines of labels, and below which there is little room for one. */
const LEAST_FOR_TWO_LINES = 40;
const NARROW_GUTTER = 150;

/** From the row at `first` on. */
export function paintLabels(draw: CanvasRenderingContext2D, scene: Scene, first: number): void {
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
