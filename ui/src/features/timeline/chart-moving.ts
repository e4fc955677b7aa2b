/** Wheel, overview and axis of the timeline: each moves the camera, or marks what it is to show. */

import type { Accessor, Setter } from "solid-js";
import { overviewShown, overviewX } from "~/graph/timeline/paint-head";
import { scaleOf } from "~/graph/timeline/scene";
import type { Scene } from "~/graph/timeline/scene";
import type { Camera } from "./camera";
import { listenToDrag } from "./gestures";

/** Pixels of the edge of the window in the overview. */
const EDGE = 8;
/** What one turn of a wheel does. */
const WHEEL = 0.0016;

/** The part of the page in which the chart is drawn. */
export interface ChartRoom {
  size: Accessor<{ width: number; height: number }>;
  /** Pixels by which rows are scrolled. */
  top: Accessor<number>;
  scroller: () => HTMLElement;
  /** Unix seconds up to which the run is shown. */
  now: () => number;
}

/** A stretch that is being marked, in pixels. */
export type Brush = readonly [from: number, to: number];

export function createMoving(props: { camera: Camera; gutter: number }, room: ChartRoom) {
  const { size, scroller, now } = room;
  const perPixel = () => {
    const view = props.camera.now(now());
    return (view.to - view.from) / (size().width - props.gutter);
  };
  const pan = (pixels: number) => props.camera.pan(pixels * perPixel(), now());
  const zoom = (factor: number, x: number) => {
    const { from } = props.camera.now(now());
    props.camera.zoom(factor, from + (Math.max(x, props.gutter) - props.gutter) * perPixel(), now());
  };
  const onWheel = (event: WheelEvent) => {
    const lines = event.deltaMode === 1 ? 16 : 1;
    const scrolls = scroller().scrollHeight > scroller().clientHeight;
    const across = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
    if (event.ctrlKey || event.metaKey)
      zoom(Math.exp(event.deltaY * lines * WHEEL * 2), event.clientX - scroller().getBoundingClientRect().left);
    else if (Math.abs(across) > Math.abs(event.deltaY) || event.shiftKey) pan(across * lines);
    else if (!scrolls && props.camera.mode() !== "fit") pan(event.deltaY * lines);
    else return;
    event.preventDefault();
  };

  /** In the overview the window is moved, or one of its edges; beside it, it is brought there first. */
  const listenToOverview = (foot: HTMLElement, scene: () => Scene | undefined) => {
    let part: "from" | "to" | "both" = "both";
    return listenToDrag(foot, {
      start: (x) => {
        const found = scene()!;
        const [from, to] = [overviewX(found, found.view.from), overviewX(found, found.view.to)];
        part = Math.abs(x - from) < EDGE ? "from" : Math.abs(x - to) < EDGE ? "to" : "both";
        if (part === "both" && (x < from || x > to)) {
          const half = (found.view.to - found.view.from) / 2;
          const middle = overviewShown(found, x);
          props.camera.set({ from: middle - half, to: middle + half }, now());
        }
      },
      move: (x, before) => {
        const found = scene()!;
        const by = overviewShown(found, x) - overviewShown(found, before);
        const { from, to } = found.view;
        if (part === "both") props.camera.pan(by, now());
        else {
          const next = part === "from" ? { from: from + by, to } : { from, to: to + by };
          if (next.to - next.from > 0.001 * found.axis.length) props.camera.set(next, now());
        }
      },
      end: () => undefined,
    });
  };
  /** On the axis one marks what is to be seen. */
  const listenToHead = (
    head: HTMLElement,
    scene: () => Scene | undefined,
    [brush, setBrush]: readonly [Accessor<Brush | undefined>, Setter<Brush | undefined>],
  ) =>
    listenToDrag(head, {
      start: (x) => setBrush([x, x]),
      move: (x) => setBrush([brush()![0], Math.max(props.gutter, Math.min(x, size().width))]),
      end: (_, hasMoved) => {
        const [from, to] = brush()!;
        const found = scene()!;
        const shown = (x: number) => found.view.from + (x - found.gutter) / scaleOf(found);
        setBrush(undefined);
        if (hasMoved && from >= found.gutter)
          props.camera.set({ from: shown(Math.min(from, to)), to: shown(Math.max(from, to)) }, now());
      },
    });
  return { pan, zoom, onWheel, listenToOverview, listenToHead };
}
