/** Where a long table stands: which of its rows are seen, and where it goes when rows come above what one reads. */

import { createComputed, createEffect, createMemo, createSignal, on, onCleanup, onMount } from "solid-js";
import type { Accessor } from "solid-js";
import { indexNear, rowsMoved, rowsSeen } from "./virtual-rows";
import type { TableProps } from "./virtual-table-props";

/** Rows beside those that are seen which exist too. */
const OVERSCAN = 8;
/** Pixels that one has to scroll to be away from the top. */
const AWAY = 8;

/** A place, of which rows, how high each is, and where it was scrolled to last. */
interface Place<Row> {
  rows: readonly Row[];
  list: string | undefined;
  height: number;
  at: { top: number };
  top: number;
}

export interface TablePlace {
  /** Pixels that it is scrolled by. */
  top: Accessor<number>;
  /** The rows that exist, by key: where each stands. */
  seen: Accessor<ReadonlyMap<string, number>>;
  scrollTo: (pixels: number) => void;
  /** Somebody has moved it, or is about to. */
  moved: () => void;
  onScroll: () => void;
  /** Rows that came above since one is away from the top. */
  fresh: Accessor<number>;
}

export interface TableBox {
  scroller: () => HTMLElement;
  size: Accessor<{ width: number; height: number }>;
  setSize: (size: { width: number; height: number }) => void;
  /** Pixels of a row. */
  height: Accessor<number>;
}

/** @param isInUse Whether keys are used in it, below its first row: that row then stays where it is. */
export function createPlace<Row>(props: TableProps<Row>, box: TableBox, isInUse: () => boolean): TablePlace {
  const { scroller, size, height } = box;
  /** Where it was scrolled to, told anew each time. */
  const [scrolled, setScrolled] = createSignal({ top: 0 });
  /** Where it stands: where it was scrolled to, and on from there by the rows that came above what one reads since. */
  const place = createMemo((before: Place<Row> | undefined): Place<Row> => {
    const now = { rows: props.rows, list: props.listKey, height: height(), at: scrolled() };
    if (!before || now.at !== before.at) return { ...now, top: now.at.top };
    const isHeld = props.anchored && now.list === before.list && (before.top > AWAY || isInUse());
    const first = Math.floor(before.top / before.height);
    const by = isHeld && now.rows !== before.rows ? rowsMoved(before.rows, now.rows, props.rowKey, first) : 0;
    // Rows that become taller take the place with them.
    return { ...now, top: Math.max(0, (before.top / before.height + by) * now.height) };
  });
  const top = () => place().top;
  const range = createMemo(() => rowsSeen(top(), size().height, height(), props.rows.length, OVERSCAN), undefined, {
    equals: ([first, last], [newFirst, newLast]) => first === newFirst && last === newLast,
  });
  const seen = createMemo(() => {
    const found = new Map<string, number>();
    const [rows, keyOf, [first, last]] = [props.rows, props.rowKey, range()];
    for (let index = first; index < Math.min(last, rows.length); index += 1) found.set(keyOf(rows[index]!), index);
    return found;
  });
  createEffect(
    on([() => range()[1], () => props.rows.length], ([end, rows]) => rows && end >= rows - OVERSCAN && props.onEnd?.()),
  );

  const scrollTo = (pixels: number) => {
    scroller().scrollTop = pixels;
    setScrolled({ top: scroller().scrollTop });
  };
  /** Where it is to begin, as long as there is no room for that yet and nobody has moved it. */
  let start = props.startAt ?? 0;
  const begin = () => {
    if (!start || !props.rows.length) return;
    scrollTo(start);
    if (scroller().scrollTop >= start) start = 0;
  };
  onMount(() => {
    const measure = () => {
      box.setSize({ width: scroller().clientWidth, height: scroller().clientHeight });
      begin();
    };
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(scroller());
    onCleanup(() => watch.disconnect());
  });
  createEffect(begin);
  createEffect(
    on(
      () => props.listKey,
      () => scrollTo(0),
      { defer: true },
    ),
  );
  createEffect((before: Place<Row> | undefined) => {
    const now = place();
    // Only where rows have moved it, since asking where it is takes time; and once there is room for the rows that came.
    if (now.at === before?.at && now.top !== before.top) scroller().scrollTop = now.top;
    return now;
  });

  const [firstSeen, setFirstSeen] = createSignal("");
  const isAway = createMemo(() => top() > AWAY);
  createComputed(() => !isAway() && props.rows.length && setFirstSeen(props.rowKey(props.rows[0]!)));
  const fresh = createMemo((before: number) => {
    if (!props.newRows || !isAway() || !firstSeen()) return 0;
    const [rows, keyOf] = [props.rows, props.rowKey];
    const at = indexNear((index) => keyOf(rows[index]!), rows.length, firstSeen(), before);
    return at >= 0 ? at : before;
  }, 0);
  return {
    top,
    seen,
    scrollTo,
    moved: () => void (start = 0),
    onScroll: () => scroller().scrollTop !== top() && setScrolled({ top: scroller().scrollTop }),
    fresh,
  };
}
