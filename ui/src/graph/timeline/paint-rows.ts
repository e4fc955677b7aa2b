/** The rows that are seen: what stands behind the bars, the bars, what lies over them, and the labels beside them. */

import { colour } from "~/lib/theme";
import { paintLane, paintPiece, paintRemark } from "./paint-bars";
import { paintLabels } from "./paint-labels";
import { paintOver, paintPath, paintSpot } from "./paint-over";
import { GROUP_MARGIN, rowAt } from "./rows";
import type { Row } from "./rows";
import { xOf } from "./scene";
import type { Scene } from "./scene";
import { laneHeightOf } from "./spots";
import type { Tick } from "./ticks";

/** Pixels of a lane from which on names stand in it. */
const LEAST_FOR_NAMES = 14;

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
