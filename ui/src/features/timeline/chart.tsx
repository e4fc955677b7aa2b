/** The timeline itself: canvases under each other, and what pointers and keys do with them. */

import { Show, createEffect, createMemo, createSignal, onCleanup, onMount } from "solid-js";
import { useRun } from "~/data/run";
import { scaleOf, timeOf } from "~/graph/timeline/scene";
import type { Scene } from "~/graph/timeline/scene";
import { spotAt, thingAt } from "~/graph/timeline/spots";
import type { Spot } from "~/graph/timeline/spots";
import { useSearch } from "~/lib/search";
import { isDark } from "~/lib/theme";
import type { Camera } from "./camera";
import { createFocus } from "./chart-focus";
import { createMoving } from "./chart-moving";
import type { Brush } from "./chart-moving";
import { createDrawing } from "./drawing";
import { listen } from "./gestures";
import { endOf } from "./picture";
import type { Picture } from "./picture";
import { Tooltip } from "./tooltip";
import type { Thing } from "./words";
import styles from "./timeline.module.css";

/** Pixels by which one may miss a bar. */
const SLACK = 4;

export function Chart(props: {
  picture: Picture;
  camera: Camera;
  isLive: boolean;
  /** Grows when the camera has moved. */
  turn: number;
  /** Pixels of the part where labels stand. */
  gutter: number;
  open: (thing: Thing) => void;
  /** Told how many pixels rows have. */
  onRoom: (height: number) => void;
}) {
  const data = useRun();
  const search = useSearch();
  const [size, setSize] = createSignal({ width: 0, height: 0 });
  const [top, setTop] = createSignal(0);
  const [pointer, setPointer] = createSignal<{ x: number; y: number }>();
  const [isFocused, setFocused] = createSignal(false);
  const marking = createSignal<Brush>();
  const [brush] = marking;
  let scroller!: HTMLDivElement;
  let head!: HTMLCanvasElement;
  let rows!: HTMLCanvasElement;
  let foot!: HTMLCanvasElement;
  const now = () => endOf(data);
  const room = { size, top, scroller: () => scroller, now };
  const { focus, setFocus, said, onKeyDown } = createFocus(props, room, () => setPointer(undefined));
  const moving = createMoving(props, room);

  const scene = (): Scene | undefined => {
    const { width, height } = size();
    if (width <= props.gutter || height <= 0) return undefined;
    const time = now();
    const made: Scene = {
      ...props.picture,
      width,
      height,
      now: time,
      isLive: props.isLive,
      length: Math.max(props.picture.axis.length, props.picture.axis.at(time)),
      view: props.camera.now(time),
      gutter: props.gutter,
      top: top(),
      hover: undefined,
      focus: focus(),
      isFocused: isFocused(),
      chosen: search.one("task"),
    };
    const at = pointer();
    if (at) made.hover = spotUnder(made, at.x, at.y);
    return made;
  };
  const { drawn, invalidate } = createDrawing(() => ({ head, rows, foot }), scene, {
    wrong: () => props.picture.wrong,
    brush,
  });
  createEffect(() => {
    // Whatever of these changes is to be seen.
    void [props.picture, props.turn, props.isLive, props.gutter, data.tasks().version(), search.one("task"), isDark()];
    void [size(), top(), pointer(), focus(), isFocused(), brush()];
    invalidate();
  });

  onMount(() => {
    const watch = new ResizeObserver(() => {
      setSize({ width: scroller.clientWidth, height: scroller.clientHeight });
      props.onRoom(scroller.clientHeight);
    });
    watch.observe(scroller);
    const stops = [
      () => watch.disconnect(),
      listen(scroller, {
        pan: (x, y, isTouch) => {
          moving.pan(-x);
          if (!isTouch) scroller.scrollTop -= y;
        },
        zoom: moving.zoom,
        click: (x, y) => {
          const found = scene();
          const spot = found && spotUnder(found, x, y);
          const thing = spot && thingAt(found.layout, spot);
          if (!thing) return;
          setFocus(spot);
          if (thing.at || x < props.gutter || thing.row.kind === "group") props.open(thing);
        },
        hover: (x, y) => setPointer({ x, y }),
        leave: () => setPointer(undefined),
      }),
      moving.listenToOverview(foot, scene),
      moving.listenToHead(head, scene, marking),
    ];
    // Not passive: with ctrl held the browser would make the whole page larger.
    const all: HTMLElement[] = [scroller, head, foot];
    for (const element of all) element.addEventListener("wheel", moving.onWheel, { passive: false });
    onCleanup(() => stops.forEach((stop) => stop()));
  });

  const hovered = createMemo(() => {
    const found = drawn();
    const at = pointer();
    if (!found?.hover || !at || at.x < props.gutter) return undefined;
    const thing = thingAt(found.layout, found.hover);
    if (!thing?.at && thing?.row.kind !== "piece") return undefined;
    const time = timeOf(found, at.x);
    // Beside what it went through, one points at nothing.
    const isWithin = thing.at ?? (time >= thing.piece!.created && time <= (thing.piece!.ended || found.now));
    return isWithin ? { thing, at, now: found.now } : undefined;
  });

  return (
    <div class={styles.chart}>
      <canvas ref={head} class={styles.head} aria-hidden="true" />
      <div
        ref={scroller}
        class={styles.scroller}
        classList={{ [styles.pointing!]: Boolean(hovered()?.thing.at) }}
        role="application"
        aria-roledescription="timeline"
        aria-label="Timeline. Arrow keys go from bar to bar, Enter opens, plus and minus zoom, Shift with arrows pans."
        aria-describedby="timeline-summary"
        tabIndex={0}
        onKeyDown={onKeyDown}
        onScroll={() => setTop(scroller.scrollTop)}
        onFocus={() => setFocused(scroller.matches(":focus-visible"))}
        onBlur={() => setFocused(false)}
        onDblClick={(event) => {
          const box = scroller.getBoundingClientRect();
          if (event.clientX - box.left > props.gutter)
            moving.zoom(event.shiftKey ? 3 : 1 / 3, event.clientX - box.left);
        }}
      >
        <div class={styles.sizer} style={{ height: `${Math.max(props.picture.layout.height, size().height)}px` }}>
          <canvas ref={rows} class={styles.rows} aria-hidden="true" />
        </div>
      </div>
      <Show when={hovered()}>
        {(found) => (
          <div class={styles.over}>
            <Tooltip
              thing={found().thing}
              tried={found().thing.piece && props.picture.tried.get(found().thing.piece!.id)}
              now={found().now}
              {...found().at}
              {...size()}
            />
          </div>
        )}
      </Show>
      <canvas ref={foot} class={styles.foot} aria-hidden="true" />
      <p class="sr-only" role="status">
        {said()}
      </p>
    </div>
  );
}

/** What lies under a pointer; beside the labels the row alone. */
function spotUnder(scene: Scene, x: number, y: number): Spot | undefined {
  const isLabel = x < scene.gutter;
  const time = timeOf(scene, Math.max(x, scene.gutter));
  const spot = spotAt(scene.layout, y + scene.top, time, SLACK / scaleOf(scene), scene.now);
  return spot && isLabel ? { row: spot.row, lane: -1, place: -1 } : spot;
}
