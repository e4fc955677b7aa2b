/** What stands above the rows: the axis, and how many ran at once; and below them: all of it, with what is seen of it. */

import { count } from "~/lib/numbers";
import { wentWrong } from "~/lib/state";
import { colour } from "~/lib/theme";
import { duration } from "~/lib/times";
import { mostPerColumn } from "./concurrency";
import { attemptsOf } from "./model";
import type { Piece } from "./model";
import { timeOf, xOf } from "./scene";
import type { Scene } from "./scene";
import { font, widthOf } from "./text";
import type { Tick } from "./ticks";
import { whole } from "./view";
import type { View } from "./view";

/** Pixels of the axis, and of the curve below it. */
export const AXIS = 22;
export const CURVE = 34;

export function paintHead(draw: CanvasRenderingContext2D, scene: Scene, ticks: readonly Tick[]): void {
  const { width, gutter } = scene;
  const height = AXIS + CURVE;
  draw.clearRect(0, 0, width, height);
  draw.textBaseline = "middle";
  paintCurve(draw, scene);
  draw.font = font(11);
  draw.textAlign = "left";
  const taken: [from: number, to: number][] = [];
  for (const { label, from, ink, isBefore } of marksOf(scene, ticks)) {
    draw.fillStyle = ink ?? colour("--line-strong");
    draw.fillRect(Math.round(from), AXIS - 5, 1, 5);
    const room = widthOf(draw, label) + 8;
    const x = isBefore && from - room > gutter ? from - room + 4 : from + 4;
    const to = x + room;
    if (to > width + 6 || taken.some((one) => x < one[1] && to > one[0])) continue;
    draw.fillStyle = ink ?? colour("--soft");
    draw.fillText(label, x, AXIS / 2 + 1);
    taken.push([x, to]);
  }
  draw.fillStyle = colour("--line");
  draw.fillRect(0, AXIS - 1, width, 1);
  if (!gutter) return;
  draw.fillRect(gutter - 1, 0, 1, height);
  draw.fillStyle = colour("--soft");
  if (gutter > 150) draw.fillText("Ran at once", 8, AXIS + CURVE / 2);
  const most = count(scene.steps.most);
  draw.textAlign = "right";
  draw.fillText(`max ${most}`, gutter - 8, AXIS + CURVE / 2);
}

interface Mark {
  label: string;
  from: number;
  ink?: string;
  /** Whether it is written on the left. */
  isBefore?: boolean;
}

/** What stands at the axis. What there is little of goes first: attempts of the run, and how much was cut. */
function marksOf(scene: Scene, ticks: readonly Tick[]): Mark[] {
  const attempts = scene.runAttempts.slice(1).map((one) => ({
    label: `attempt ${one.attempt}`,
    from: xOf(scene, one.started),
    ink: colour("--planned"),
  }));
  const cuts = scene.axis.cuts.map((cut) => ({
    label: `⋯ ${duration(cut.to - cut.from)}`,
    from: xOf(scene, cut.from),
    ink: colour("--waiting"),
    isBefore: true,
  }));
  const times = ticks.map((tick) => ({ label: tick.label, from: xOf(scene, scene.axis.time(tick.at)) }));
  return [...attempts, ...cuts, ...times].filter((one) => one.from >= scene.gutter - 1 && one.from < scene.width);
}

function paintCurve(draw: CanvasRenderingContext2D, scene: Scene): void {
  const columns = Math.max(0, Math.floor(scene.width - scene.gutter));
  const most = mostPerColumn(scene.steps, columns, (column) => timeOf(scene, scene.gutter + column));
  const end = scene.isLive ? xOf(scene, scene.now) - scene.gutter : columns;
  area(draw, most.subarray(0, Math.max(0, Math.ceil(end))), scene.gutter, AXIS + CURVE, CURVE - 6, scene.steps.most);
}

function area(
  draw: CanvasRenderingContext2D,
  most: Int32Array,
  left: number,
  bottom: number,
  height: number,
  greatest: number,
): void {
  if (!greatest) return;
  draw.fillStyle = colour("--active-soft");
  draw.strokeStyle = colour("--active");
  draw.lineWidth = 1;
  const top = (column: number) => Math.round(bottom - (height * most[column]!) / greatest) - 0.5;
  draw.beginPath();
  draw.moveTo(left, bottom);
  for (let column = 0; column < most.length; column += 1) {
    if (column && most[column] === most[column - 1] && column + 1 < most.length) continue;
    if (column) draw.lineTo(left + column, top(column - 1));
    draw.lineTo(left + column, top(column));
  }
  draw.lineTo(left + most.length, bottom);
  draw.fill();
  draw.stroke();
}

/** Where the overview shows a stretch of the axis. */
export function overviewX(scene: Scene, shown: number): number {
  const all = whole(scene.length);
  return scene.gutter + ((shown - all.from) / (all.to - all.from)) * (scene.width - scene.gutter);
}

/** Which shown second lies somewhere in the overview. */
export function overviewShown(scene: Scene, x: number): number {
  const all = whole(scene.length);
  return all.from + ((x - scene.gutter) / (scene.width - scene.gutter)) * (all.to - all.from);
}

export function paintOverview(
  draw: CanvasRenderingContext2D,
  scene: Scene,
  wrong: readonly number[],
  height: number,
): void {
  const { width, gutter } = scene;
  draw.clearRect(0, 0, width, height);
  const columns = Math.max(0, Math.floor(width - gutter));
  const all: Scene = { ...scene, view: whole(scene.length) };
  const end = scene.isLive ? Math.max(0, Math.ceil(xOf(all, scene.now) - gutter)) : columns;
  const most = mostPerColumn(scene.steps, columns, (column) => timeOf(all, gutter + column));
  area(draw, most.subarray(0, end), gutter, height, height - 8, scene.steps.most);
  draw.fillStyle = colour("--sunken");
  for (const cut of scene.axis.cuts) {
    const x = xOf(all, cut.from);
    draw.fillRect(x, 0, xOf(all, cut.to) - x, height);
  }
  draw.fillStyle = colour("--bad");
  let drawn = -Infinity;
  for (const time of wrong) {
    const x = Math.round(xOf(all, time));
    if (x <= drawn + 1) continue;
    draw.fillRect(x - 1, 1, 2, 5);
    drawn = x;
  }
  paintWindow(draw, scene, scene.view, height);
  if (!gutter) return;
  draw.font = font(11);
  draw.textBaseline = "middle";
  draw.textAlign = "right";
  draw.fillStyle = colour("--soft");
  draw.fillText(duration(scene.axis.to - scene.axis.from), gutter - 8, height / 2);
  draw.textAlign = "left";
  if (gutter > 150) draw.fillText("All of it", 8, height / 2);
  draw.fillStyle = colour("--line");
  draw.fillRect(gutter - 1, 0, 1, height);
}

/** What is seen: the rest is dimmed. */
function paintWindow(draw: CanvasRenderingContext2D, scene: Scene, view: View, height: number): void {
  const [from, to] = [overviewX(scene, view.from), overviewX(scene, view.to)];
  draw.globalAlpha = 0.6;
  draw.fillStyle = colour("--sunken");
  draw.fillRect(scene.gutter, 0, Math.max(0, from - scene.gutter), height);
  draw.fillRect(to, 0, Math.max(0, scene.width - to), height);
  draw.globalAlpha = 1;
  draw.strokeStyle = colour("--line-strong");
  draw.lineWidth = 1;
  draw.strokeRect(from + 0.5, 0.5, Math.max(2, to - from - 1), height - 1);
  draw.fillStyle = colour("--line-strong");
  for (const x of [from, to - 3]) draw.fillRect(x, height / 2 - 6, 3, 12);
}

/** When what went wrong did so, in the order of time. */
export function wrongTimes(pieces: Iterable<Piece>, tried: Scene["tried"]): number[] {
  const times: number[] = [];
  for (const piece of pieces) {
    for (const one of attemptsOf(piece, tried.get(piece.id)))
      if (wentWrong(one.state)) times.push(one.ended || one.started);
  }
  return times.sort((a, b) => a - b);
}
