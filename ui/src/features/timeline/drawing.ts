/** The canvases of the timeline, drawn once a frame at most; and while time goes on, whenever that moves something. */

import { createSignal, onCleanup } from "solid-js";
import { paintBrush, prepared } from "~/graph/timeline/canvas";
import { AXIS, CURVE, paintHead, paintOverview } from "~/graph/timeline/paint-head";
import { paintRows } from "~/graph/timeline/paint-rows";
import { scaleOf } from "~/graph/timeline/scene";
import type { Scene } from "~/graph/timeline/scene";
import { ticksOf } from "~/graph/timeline/ticks";

/** Pixels of the overview, and between two marks of the axis. */
export const OVERVIEW = 36;
const MARKS_APART = 84;
/** Milliseconds between two drawings while nothing happens but that time goes on. */
const SHORTEST_PAUSE = 33;
const LONGEST_PAUSE = 1_000;

export interface Canvases {
  head: HTMLCanvasElement;
  rows: HTMLCanvasElement;
  foot: HTMLCanvasElement;
}

export function createDrawing(
  canvases: () => Canvases,
  scene: () => Scene | undefined,
  beside: { wrong: () => readonly number[]; brush: () => readonly [from: number, to: number] | undefined },
) {
  /** What was drawn last: what one points at is found in it. */
  const [drawn, setDrawn] = createSignal<Scene | undefined>(undefined, { equals: false });
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const draw = () => {
    frame = 0;
    clearTimeout(timer);
    const now = scene();
    if (!now) return;
    const { head, rows, foot } = canvases();
    const ticks = ticksOf(now.axis, now.view, MARKS_APART / scaleOf(now));
    const above = prepared(head, now.width, AXIS + CURVE);
    paintHead(above, now, ticks);
    const brush = beside.brush();
    if (brush) paintBrush(above, ...brush, AXIS + CURVE);
    paintRows(prepared(rows, now.width, now.height), now, ticks);
    paintOverview(prepared(foot, now.width, OVERVIEW), now, beside.wrong(), OVERVIEW);
    setDrawn(now);
    if (!now.isLive) return;
    const pause = Math.min(Math.max(1000 / scaleOf(now), SHORTEST_PAUSE), LONGEST_PAUSE);
    timer = setTimeout(invalidate, pause);
  };
  const invalidate = () => {
    frame ||= requestAnimationFrame(draw);
  };
  onCleanup(() => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  });
  return { drawn, invalidate };
}
