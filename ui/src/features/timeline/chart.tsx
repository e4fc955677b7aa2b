/** The timeline itself: canvases under each other, and what pointers and keys do with them. */

import { Show, createEffect, createMemo, createSignal, on, onCleanup, onMount } from "solid-js";
import { useRun } from "~/data/run";
import { beginOf } from "~/graph/timeline/model";
import { overviewShown, overviewX } from "~/graph/timeline/paint-head";
import { scaleOf, timeOf } from "~/graph/timeline/scene";
import type { Scene } from "~/graph/timeline/scene";
import { moved, spotAt, spotOf, thingAt } from "~/graph/timeline/spots";
import type { Spot, Step } from "~/graph/timeline/spots";
import { useSearch } from "~/lib/search";
import { isDark } from "~/lib/theme";
import type { Camera } from "./camera";
import { createDrawing } from "./drawing";
import { listen, listenToDrag } from "./gestures";
import { endOf } from "./picture";
import type { Picture } from "./picture";
import { Tooltip } from "./tooltip";
import { spoken } from "./words";
import type { Thing } from "./words";
import styles from "./timeline.module.css";

/** Pixels by which one may miss a bar, and of the edge of the window in the overview. */
const SLACK = 4;
const EDGE = 8;
/** What one turn of a wheel and one press of a key do. */
const WHEEL = 0.0016;
const PRESS = 0.12;

const STEPS: Record<string, Step> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "first",
  End: "last",
};

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
  const [focus, setFocus] = createSignal<Spot>();
  const [isFocused, setFocused] = createSignal(false);
  const [said, setSaid] = createSignal("");
  const [brush, setBrush] = createSignal<readonly [from: number, to: number]>();
  let scroller!: HTMLDivElement;
  let head!: HTMLCanvasElement;
  let rows!: HTMLCanvasElement;
  let foot!: HTMLCanvasElement;
  const now = () => endOf(data);

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
  // What has the focus keeps it when rows move.
  createEffect(
    on(
      () => props.picture,
      (picture, before) => {
        const spot = focus();
        const id = before && spot && thingAt(before.layout, spot)?.piece?.id;
        if (!id || thingAt(picture.layout, spot)?.piece?.id === id) return picture;
        setFocus(spotOf(picture.layout, id));
        return picture;
      },
    ) as never,
  );

  const show = (spot: Spot) => {
    const { layout, axis, tried } = props.picture;
    const row = layout.rows[spot.row]!;
    if (row.y < top()) scroller.scrollTop = row.y;
    else if (row.y + row.height > top() + size().height) scroller.scrollTop = row.y + row.height - size().height;
    const { piece, at } = thingAt(layout, spot)!;
    const begin = at?.started ?? (piece ? beginOf(piece, tried.get(piece.id)) : 0);
    if (begin) props.camera.show(axis.at(begin), axis.at(at?.ended || (at ? now() : begin)), now());
  };
  const goTo = (spot: Spot) => {
    setFocus(spot);
    setPointer(undefined);
    show(spot);
    const thing = thingAt(props.picture.layout, spot)!;
    const tried = thing.piece && props.picture.tried.get(thing.piece.id);
    setSaid(spoken(thing, tried, props.picture.axis.from, now()));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const { camera, picture } = props;
    const view = camera.now(now());
    const span = view.to - view.from;
    const step = STEPS[event.key];
    const spot = focus();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.shiftKey && (step === "left" || step === "right"))
      camera.pan(span * (step === "left" ? -PRESS : PRESS), now());
    else if (event.shiftKey && (step === "up" || step === "down")) scroller.scrollTop += step === "up" ? -66 : 66;
    else if (step && spot) goTo(moved(picture.layout, spot, step, now()));
    else if (step && picture.layout.rows.length)
      goTo(moved(picture.layout, { row: -1, lane: -1, place: -1 }, "first", now()));
    else if ((event.key === "Enter" || event.key === " ") && spot) props.open(thingAt(picture.layout, spot)!);
    else if (event.key === "Escape" && spot) setFocus(undefined);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const onWheel = (event: WheelEvent) => {
    const { camera, gutter } = props;
    const { width } = size();
    const lines = event.deltaMode === 1 ? 16 : 1;
    const view = camera.now(now());
    const perPixel = (view.to - view.from) / (width - gutter);
    const scrolls = scroller.scrollHeight > scroller.clientHeight;
    const across = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
    if (event.ctrlKey || event.metaKey) {
      const x = Math.max(gutter, event.clientX - scroller.getBoundingClientRect().left);
      camera.zoom(Math.exp(event.deltaY * lines * WHEEL * 2), view.from + (x - gutter) * perPixel, now());
    } else if (Math.abs(across) > Math.abs(event.deltaY) || event.shiftKey)
      camera.pan(across * lines * perPixel, now());
    else if (!scrolls && camera.mode() !== "fit") camera.pan(event.deltaY * lines * perPixel, now());
    else return;
    event.preventDefault();
  };
  const zoomAt = (factor: number, x: number) => {
    const view = props.camera.now(now());
    const part = (Math.max(x, props.gutter) - props.gutter) / (size().width - props.gutter);
    props.camera.zoom(factor, view.from + part * (view.to - view.from), now());
  };
  const panBy = (pixels: number) => {
    const view = props.camera.now(now());
    props.camera.pan((pixels * (view.to - view.from)) / (size().width - props.gutter), now());
  };

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
          panBy(-x);
          if (!isTouch) scroller.scrollTop -= y;
        },
        zoom: zoomAt,
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
      listenToOverview(),
      listenToHead(),
    ];
    // Not passive: with ctrl held the browser would make the whole page larger.
    const all: HTMLElement[] = [scroller, head, foot];
    for (const element of all) element.addEventListener("wheel", onWheel, { passive: false });
    onCleanup(() => stops.forEach((stop) => stop()));
  });

  /** In the overview the window is moved, or one of its edges; beside it, it is brought there first. */
  const listenToOverview = () => {
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
  const listenToHead = () =>
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
          if (event.clientX - box.left > props.gutter) zoomAt(event.shiftKey ? 3 : 1 / 3, event.clientX - box.left);
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
