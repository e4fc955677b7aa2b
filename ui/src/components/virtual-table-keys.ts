/** The row of a long table that keys are for: which it is, and how one goes to another. */

import { createEffect, createMemo, createSignal } from "solid-js";
import { indexNear } from "./virtual-rows";
import type { TableBox, TablePlace } from "./virtual-table-place";
import type { TableHandle, TableProps } from "./virtual-table-props";

/** Pixels of the head, below which rows go. */
const HEAD = 32;

/** @param hasHead Whether the titles of columns stand above the rows. */
export function createKeys<Row>(props: TableProps<Row>, box: TableBox, place: TablePlace, hasHead: () => boolean) {
  const { scroller, height } = box;
  const [active, setActive] = createSignal("");
  /** Where the row with the focus stood last: from there one goes on when it is gone. */
  let activeAt = 0;
  const hasFocus = () => scroller().contains(document.activeElement);
  /** The one row that Tab leads to. */
  const stop = createMemo(() => (place.seen().has(active()) ? active() : (place.seen().keys().next().value ?? "")));
  const keyAt = (index: number) => props.rowKey(props.rows[index]!);
  const activeNow = () => (active() ? indexNear(keyAt, props.rows.length, active(), activeAt) : -1);
  const elementOf = (key: string) => scroller().querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`);

  const go = (to: number) => {
    if (!props.rows.length) return scroller().focus();
    const at = Math.max(0, Math.min(props.rows.length - 1, to));
    activeAt = at;
    setActive(keyAt(at));
    const room = scroller().clientHeight - (hasHead() ? HEAD : 0) - height();
    const edge = at * height();
    if (edge < scroller().scrollTop) place.scrollTo(edge);
    else if (edge > scroller().scrollTop + room) place.scrollTo(edge - room);
    elementOf(keyAt(at))?.focus({ preventScroll: true });
  };
  const step = (by: number) => {
    const isHere = hasFocus() && document.activeElement !== scroller();
    const found = activeNow();
    const from = found >= 0 ? found : Math.min(activeAt, props.rows.length - 1);
    // The first key only shows where one is.
    go(isHere || !stop() ? from + by : (place.seen().get(stop()) ?? 0));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    place.moved();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement && event.target.type !== "checkbox") return;
    const page = Math.max(1, Math.floor(scroller().clientHeight / height()) - 2);
    const by = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: page, PageUp: -page }[event.key];
    if (by !== undefined) step(by);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(props.rows.length - 1);
    else return;
    event.preventDefault();
  };

  // A row that has the focus may be drawn anew, or go: keys go on from there.
  let hadFocus = false;
  createEffect(() => {
    place.seen();
    if (!hadFocus || (document.activeElement && document.activeElement !== document.body)) return;
    (elementOf(active()) ?? scroller()).focus({ preventScroll: true });
  });
  const handle: TableHandle<Row> = {
    active: () => props.rows[activeNow()],
    step,
    toTop: () => {
      place.scrollTo(0);
      elementOf(stop())?.focus({ preventScroll: true });
    },
    top: () => place.top(),
  };
  return {
    stop,
    handle,
    onKeyDown,
    isInUse: () => activeAt > 0 && hasFocus(),
    onFocusIn: () => void (hadFocus = true),
    onFocusOut: (event: FocusEvent & { target: Element }) => {
      hadFocus = event.relatedTarget === null && !event.target.isConnected;
    },
    onRowFocus: (key: string, index: number) => {
      activeAt = index;
      setActive(key);
    },
  };
}
