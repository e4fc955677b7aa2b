/**
 * The lines that are seen, in a place that scrolls over those that are loaded. Rows lie in the flow of the page, so that
 * text can be marked over many of them; what stands above and below them is empty room. What one reads stays where it is
 * while lines come and go around it: its line and how far that is from the top is what is kept, not pixels.
 */

import { For, createEffect, createSignal, on, onCleanup, onMount } from "solid-js";
import { Heights, ROW } from "./heights";
import type { LineSettings } from "./log-line";
import { LogLine } from "./log-line";
import { indexOf } from "./line-window";
import type { Line } from "./lines";
import type { LogReader } from "./reader";
import { copyLines, markedLines } from "./selection";
import styles from "./log-view.module.css";

/** Pixels beside what is seen in which lines exist too; and those at which more lines are loaded. */
const BESIDE = 400;
const NEAR = 4_000;
/** Lines that exist at the most because they are marked. */
const MOST_MARKED = 2_000;
/** How often measured lines may move the others within one frame. */
const ROUNDS = 4;

export interface ViewState {
  /** Whether the newest line is seen and stays seen. */
  following: boolean;
  /** Numbers of the lines at the top and at the bottom. */
  top: number;
  bottom: number;
  /** How much of what is loaded is seen. */
  share: number;
}

export interface ViewHandle {
  /** Show a line that is loaded. */
  show: (number: number, where: "middle" | "near" | "top") => void;
  /** Go to the end of what is loaded and stay there as it grows. */
  follow: () => void;
  focus: () => void;
  /** The lines on the screen. */
  seen: () => readonly Line[];
}

export function LogView(props: {
  reader: LogReader;
  settings: LineSettings;
  wrap: boolean;
  /** Number of the line that is marked; 0 for none. */
  marked: number;
  following: boolean;
  onView: (state: ViewState) => void;
  onMark: (line: Line) => void;
  onTask: (task: string) => void;
  onKeyDown: (event: KeyboardEvent) => void;
  textOf: (line: Line) => string;
  handle: (handle: ViewHandle) => void;
}) {
  let scroller!: HTMLDivElement;
  let room!: HTMLDivElement;
  let rows!: HTMLDivElement;
  let probe!: HTMLSpanElement;
  const [opened, setOpened] = createSignal<ReadonlySet<number>>(new Set());
  const [drawn, setDrawn] = createSignal<readonly Line[]>([], { equals: same });
  const lines = () => props.reader.window().lines;

  const heights = new Heights({ columns: 0, opened: new Set() });
  /** The lines that were laid out last: what indices are about. */
  let laid: readonly Line[] = [];
  /** Those of them that are to be drawn. */
  let wanted: readonly Line[] = [];
  let frame = 0;
  let isDirty = true;
  let following = true;
  /** What stays where it is: a line, and by how many pixels it begins below the top. */
  let kept = { number: 0, below: 0 };
  let goal: { number: number; where: "middle" | "near" | "top" } | undefined;
  let setTop = 0;

  const draw = () => (frame ||= requestAnimationFrame(layout));
  const lay = () => {
    isDirty = true;
    draw();
  };

  const layout = (): void => {
    frame = 0;
    noticeScrolling();
    if (isDirty) {
      laid = lines();
      heights.lay(laid);
      isDirty = false;
    }
    for (let round = 0; round < ROUNDS; round++) {
      place();
      if (!isDrawn()) return void draw();
      if (!measure()) break;
      heights.lay(laid);
    }
    goal = undefined;
    if (laid.length) kept = anchorAt(scroller.scrollTop);
    loadMore();
    tell();
  };

  /** If somebody scrolled since the last frame, what they see counts, and whether that is the end. */
  const noticeScrolling = () => {
    const top = scroller.scrollTop;
    if (Math.abs(top - setTop) < 1 || !laid.length || goal) return;
    kept = anchorAt(top);
    following = props.reader.window().atEnd && top + scroller.clientHeight >= heights.total - ROW;
    props.reader.setAtEnd(following);
  };

  const anchorAt = (top: number) => {
    const at = heights.at(top);
    return { number: laid[at]?.number ?? 0, below: heights.top(at) - top };
  };

  const wantedTop = (): number => {
    const most = Math.max(0, heights.total - scroller.clientHeight);
    if (goal) {
      const at = Math.min(laid.length - 1, indexOf(laid, goal.number));
      const [from, to] = [heights.top(at), heights.top(at + 1)];
      const now = heights.top(indexOf(laid, kept.number)) - kept.below;
      if (goal.where === "near" && from >= now && to <= now + scroller.clientHeight) return now;
      if (goal.where === "near") return from < now ? from : Math.min(from, to - scroller.clientHeight);
      const above = goal.where === "top" ? 0 : Math.max(0, (scroller.clientHeight - (to - from)) / 2);
      return Math.max(0, Math.min(most, from - above));
    }
    if (following && !isMarking()) return most;
    return Math.max(0, Math.min(most, heights.top(indexOf(laid, kept.number)) - kept.below));
  };

  /** Draw what is seen, and scroll there. */
  const place = () => {
    const top = wantedTop();
    let from = heights.at(top - BESIDE);
    let to = Math.min(laid.length, heights.at(top + scroller.clientHeight + BESIDE) + 1);
    // What is marked stays, or it could not be copied.
    const marked = markedLines(scroller);
    if (marked && indexOf(laid, marked[1]) - indexOf(laid, marked[0]) < MOST_MARKED) {
      from = Math.max(0, Math.min(from, indexOf(laid, marked[0])));
      to = Math.min(laid.length, Math.max(to, indexOf(laid, marked[1]) + 1));
    }
    // Room is made at once and by hand: signals may wait, for a page that is on its way in, and scrolling cannot.
    room.style.height = `${heights.total}px`;
    rows.style.transform = `translateY(${heights.top(from)}px)`;
    wanted = laid.slice(from, to);
    setDrawn(wanted);
    if (Math.abs(scroller.scrollTop - top) >= 1) scroller.scrollTop = top;
    setTop = scroller.scrollTop;
  };

  /** Measure what is drawn; returns whether something is of another height than thought. */
  const measure = (): boolean => {
    let isNew = false;
    for (let n = 0; n < wanted.length; n++) {
      if (heights.measure(wanted[n]!, (rows.children[n] as HTMLElement).offsetHeight)) isNew = true;
    }
    return isNew;
  };
  const isDrawn = () =>
    rows.children.length === wanted.length &&
    (!wanted.length || Number((rows.children[0] as HTMLElement).dataset.number) === wanted[0]!.number);

  const loadMore = () => {
    if (props.reader.reading()) return;
    const top = scroller.scrollTop;
    if (top < NEAR) props.reader.earlier();
    if (!props.reader.window().atEnd && heights.total - top - scroller.clientHeight < NEAR) props.reader.later();
  };

  const tell = () => {
    const at = (pixels: number) => laid[heights.at(pixels)]?.number ?? 0;
    const top = scroller.scrollTop;
    props.onView({
      following: following && !isMarking(),
      top: at(top),
      bottom: at(top + scroller.clientHeight - 1),
      share: scroller.clientHeight / Math.max(1, heights.total),
    });
  };

  const isMarking = () => markedLines(scroller) !== undefined;
  const reshape = () => {
    const text = rows.querySelector<HTMLElement>("[data-number] > :last-child");
    const width = text?.clientWidth ?? scroller.clientWidth - 260;
    heights.reshape({
      columns: props.wrap ? Math.max(10, Math.floor(width / (probe.offsetWidth / 100))) : 0,
      opened: opened(),
    });
    lay();
  };

  createEffect(on(lines, lay));
  createEffect(on([() => props.wrap, opened, () => props.settings.times, () => props.settings.names], reshape));
  createEffect(
    on(props.reader.opened, (told) => {
      if (!told) return;
      following = !told.at;
      props.reader.setAtEnd(following);
      setTop = scroller.scrollTop;
      goal = told.at ? { number: told.at, where: "middle" } : undefined;
      lay();
    }),
  );
  onMount(() => {
    const watch = new ResizeObserver(reshape);
    watch.observe(scroller);
    const marked = () => isMarking() || draw();
    document.addEventListener("selectionchange", marked);
    onCleanup(() => {
      watch.disconnect();
      cancelAnimationFrame(frame);
      document.removeEventListener("selectionchange", marked);
    });
  });
  props.handle({
    show: (number, where) => {
      following = false;
      props.reader.setAtEnd(false);
      goal = { number, where };
      draw();
    },
    follow: () => {
      getSelection()?.removeAllRanges();
      following = true;
      props.reader.setAtEnd(true);
      goal = undefined;
      setTop = scroller.scrollTop;
      draw();
    },
    focus: () => scroller.focus({ preventScroll: true }),
    seen: () => {
      const top = scroller.scrollTop;
      return laid.slice(heights.at(top), heights.at(top + scroller.clientHeight - 1) + 1);
    },
  });

  return (
    <div
      ref={scroller}
      class={styles.scroller}
      role="log"
      aria-label="Log lines"
      aria-live={props.following ? "polite" : "off"}
      tabIndex={0}
      data-wrap={props.wrap || undefined}
      onScroll={draw}
      onKeyDown={(event) => props.onKeyDown(event)}
      onCopy={(event) => copyLines(event, scroller, laid, props.textOf)}
    >
      <span ref={probe} class={styles.probe} aria-hidden="true">
        {"0".repeat(100)}
      </span>
      <div ref={room} class={styles.room}>
        <div ref={rows} class={styles.rows}>
          <For each={drawn()}>
            {(line) => (
              <LogLine
                line={line}
                settings={props.settings}
                marked={props.marked === line.number}
                opened={opened().has(line.number)}
                onMark={() => props.onMark(line)}
                onOpen={() => setOpened((all) => new Set([...all, line.number]))}
                onTask={() => props.onTask(line.task)}
              />
            )}
          </For>
        </div>
      </div>
    </div>
  );
}

function same(one: readonly Line[], other: readonly Line[]): boolean {
  return one.length === other.length && one[0] === other[0] && one.at(-1) === other.at(-1);
}
