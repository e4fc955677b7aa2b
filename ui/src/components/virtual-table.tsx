/** A table of any length, of which only the rows that are seen exist. Each has one height, told or by the look. */

import { For, Show, createComputed, createEffect, createMemo, createSignal, on, onCleanup, onMount } from "solid-js";
import type { JSX } from "solid-js";
import { rowHeight } from "~/lib/density";
import { Icon } from "./icon";
import { indexNear, leastWidth, rowsMoved, rowsSeen } from "./virtual-rows";
import styles from "./virtual-table.module.css";

export interface Column<Row> {
  key: string;
  title: string;
  /** As a grid has it: "minmax(120px, 2fr)", "90px". */
  width: string;
  cell: (row: Row) => JSX.Element;
  /** In place of the title, which then is read to those who do not see it. */
  head?: () => JSX.Element;
  /** Whether the numbers in it stand under each other. */
  right?: boolean;
  /** Whether it can be sorted by. */
  sorts?: boolean;
  /** Pixels that the table must have for it to be shown. */
  from?: number;
  /** The same as `from` a usual width. */
  wideOnly?: boolean;
}

export interface Sorting {
  key: string;
  descending: boolean;
}

/** What can be asked of a table from outside. */
export interface TableHandle<Row> {
  /** The row that keys are for. */
  active: () => Row | undefined;
  /** Go some rows down, or up, and take the focus. */
  step: (by: number) => void;
  toTop: () => void;
  /** Pixels that it is scrolled by. */
  top: () => number;
}

/** Rows beside those that are seen which exist too. */
const OVERSCAN = 8;
const WIDE = 640;
const GAP = 12;
const PADDING = 12;
/** Pixels that one has to scroll to be away from the top. */
const AWAY = 8;

/** Where a table stands, of which rows, and where it was scrolled to last. */
interface Place<Row> {
  rows: readonly Row[];
  list: string | undefined;
  at: { top: number };
  top: number;
}

export function VirtualTable<Row>(props: {
  label: string;
  rows: readonly Row[];
  columns: Column<Row>[];
  rowKey: (row: Row) => string;
  /** For rows that are changed in place: a number that is another one then. */
  rowChange?: (row: Row) => number;
  /** Pixels; as one has chosen for all tables unless told. */
  rowHeight?: number;
  /** What a row is where the table is narrower than `cardBelow` pixels, in place of columns, and its height. */
  card?: (row: Row) => JSX.Element;
  cardBelow?: number;
  cardHeight?: number;
  /** By click or Enter. */
  onOpen?: (row: Row, event: MouseEvent | KeyboardEvent) => void;
  isSelected?: (row: Row) => boolean;
  sorting?: Sorting;
  onSort?: (sorting: Sorting) => void;
  /** Asked for when the end comes near. */
  onEnd?: () => void;
  /** Whether there are more rows than these. */
  more?: boolean;
  /** Pixels from the top at which it begins. */
  startAt?: number;
  /** What the rows are of; when that is something else, the table goes to its top. */
  listKey?: string;
  /** Whether what one reads stays where it is while rows come above it. */
  anchored?: boolean;
  /** What is said of rows that came above what one reads: "3 new runs". */
  newRows?: (count: number) => string;
  handle?: (handle: TableHandle<Row>) => void;
  /** In place of rows, where there are none. */
  empty?: JSX.Element;
  /** Below the last row. */
  footer?: JSX.Element;
}) {
  let scroller!: HTMLDivElement;
  /** Where it was scrolled to, told anew each time. */
  const [scrolled, setScrolled] = createSignal({ top: 0 });
  const [size, setSize] = createSignal({ width: innerWidth, height: innerHeight }, { equals: false });
  const [active, setActive] = createSignal("");
  const isCard = () => props.card !== undefined && size().width < (props.cardBelow ?? 560);
  const height = () => (isCard() ? (props.cardHeight ?? 60) : (props.rowHeight ?? rowHeight()));
  const columns = createMemo(() =>
    props.columns.filter((column) => size().width >= (column.from ?? (column.wideOnly ? WIDE : 0))),
  );
  const template = createMemo(() =>
    isCard()
      ? "minmax(0, 1fr)"
      : columns()
          .map((column) => column.width)
          .join(" "),
  );
  const least = createMemo(() => {
    const widths = columns().map((column) => column.width);
    return isCard() ? 0 : leastWidth(widths, GAP, PADDING);
  });
  onMount(() => {
    const measure = () => {
      setSize({ width: scroller.clientWidth, height: scroller.clientHeight });
      begin();
    };
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(scroller);
    onCleanup(() => watch.disconnect());
  });

  /** Where the row with the focus stood last: from there one goes on when it is gone. */
  let activeAt = 0;
  const hasFocus = () => scroller.contains(document.activeElement);
  /** Where it stands: where it was scrolled to, and on from there by the rows that came above what one reads since. */
  const place = createMemo((before: Place<Row> | undefined): Place<Row> => {
    const [rows, list, at] = [props.rows, props.listKey, scrolled()];
    if (!before || at !== before.at) return { rows, list, at, top: at.top };
    const isHeld = props.anchored && list === before.list && (before.top > AWAY || (activeAt > 0 && hasFocus()));
    const first = Math.floor(before.top / height());
    const by = isHeld && rows !== before.rows ? rowsMoved(before.rows, rows, props.rowKey, first) : 0;
    return { rows, list, at, top: Math.max(0, before.top + by * height()) };
  });
  const top = () => place().top;
  const range = createMemo(() => rowsSeen(top(), size().height, height(), props.rows.length, OVERSCAN), undefined, {
    equals: ([first, last], [newFirst, newLast]) => first === newFirst && last === newLast,
  });
  /** The rows that exist, by key: where each stands. */
  const seen = createMemo(() => {
    const found = new Map<string, number>();
    const [rows, keyOf, [first, last]] = [props.rows, props.rowKey, range()];
    for (let index = first; index < Math.min(last, rows.length); index += 1) found.set(keyOf(rows[index]!), index);
    return found;
  });
  /** The one row that Tab leads to. */
  const stop = createMemo(() => (seen().has(active()) ? active() : (seen().keys().next().value ?? "")));
  createEffect(
    on([() => range()[1], () => props.rows.length], ([end, rows]) => rows && end >= rows - OVERSCAN && props.onEnd?.()),
  );

  const keyAt = (index: number) => props.rowKey(props.rows[index]!);
  /** Where a key stands, looked for from where it stood. */
  const find = (key: string, near: number) => {
    const [rows, keyOf] = [props.rows, props.rowKey];
    return indexNear((index) => keyOf(rows[index]!), rows.length, key, near);
  };
  const elementOf = (key: string) => scroller.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`);
  const scrollTo = (pixels: number) => {
    scroller.scrollTop = pixels;
    setScrolled({ top: scroller.scrollTop });
  };
  const go = (to: number) => {
    if (!props.rows.length) return scroller.focus();
    const at = Math.max(0, Math.min(props.rows.length - 1, to));
    activeAt = at;
    setActive(keyAt(at));
    const room = scroller.clientHeight - (isCard() ? 0 : 32) - height();
    const edge = at * height();
    if (edge < scroller.scrollTop) scrollTo(edge);
    else if (edge > scroller.scrollTop + room) scrollTo(edge - room);
    elementOf(keyAt(at))?.focus({ preventScroll: true });
  };
  const activeIndex = () => {
    const at = active() ? find(active(), activeAt) : -1;
    return at >= 0 ? at : Math.min(activeAt, props.rows.length - 1);
  };
  const step = (by: number) => {
    const isHere = hasFocus() && document.activeElement !== scroller;
    // The first key only shows where one is.
    go(isHere || !stop() ? activeIndex() + by : (seen().get(stop()) ?? 0));
  };
  props.handle?.({
    active: () => (active() ? props.rows[find(active(), activeAt)] : undefined),
    step,
    toTop: () => {
      scrollTo(0);
      elementOf(stop())?.focus({ preventScroll: true });
    },
    top,
  });

  /** Where it is to begin, as long as there is no room for that yet and nobody has moved it. */
  let start = props.startAt ?? 0;
  const begin = () => {
    if (!start || !props.rows.length) return;
    scrollTo(start);
    if (scroller.scrollTop >= start) start = 0;
  };
  const moved = () => void (start = 0);
  createEffect(begin);
  createEffect(
    on(
      () => props.listKey,
      () => scrollTo(0),
      { defer: true },
    ),
  );
  createEffect((before: number) => {
    const { at, top } = place();
    // Only where rows have moved it, since asking where it is takes time; and once there is room for the rows that came.
    if (top !== at.top && top !== before) scroller.scrollTop = top;
    return top;
  }, 0);
  // A row that has the focus may be drawn anew, or go: keys go on from there.
  let hadFocus = false;
  createEffect(() => {
    seen();
    if (!hadFocus || (document.activeElement && document.activeElement !== document.body)) return;
    (elementOf(active()) ?? scroller).focus({ preventScroll: true });
  });

  const [firstSeen, setFirstSeen] = createSignal("");
  const isAway = createMemo(() => top() > AWAY);
  createComputed(() => !isAway() && props.rows.length && setFirstSeen(keyAt(0)));
  const fresh = createMemo((before: number) => {
    if (!props.newRows || !isAway() || !firstSeen()) return 0;
    const at = find(firstSeen(), before);
    return at >= 0 ? at : before;
  }, 0);

  const onKeyDown = (event: KeyboardEvent) => {
    moved();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement && event.target.type !== "checkbox") return;
    const page = Math.max(1, Math.floor(scroller.clientHeight / height()) - 2);
    const by = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: page, PageUp: -page }[event.key];
    if (by !== undefined) step(by);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(props.rows.length - 1);
    else return;
    event.preventDefault();
  };
  const open = (row: Row, event: MouseEvent | KeyboardEvent) => {
    const pressed = (event.target as HTMLElement).closest("a, button, input, label, select, textarea, summary");
    if (pressed && pressed !== event.currentTarget) return;
    if (event instanceof MouseEvent && String(getSelection())) return; // a text was marked, not a row pressed
    props.onOpen?.(row, event);
  };
  const sort = (column: Column<Row>) =>
    props.onSort?.({
      key: column.key,
      descending: props.sorting?.key === column.key ? !props.sorting.descending : false,
    });
  const sorted = (column: Column<Row>) =>
    props.sorting?.key !== column.key ? undefined : props.sorting.descending ? "descending" : "ascending";

  const head = (column: Column<Row>) => (
    <div
      role="columnheader"
      class={styles.title}
      classList={{ [styles.right!]: column.right }}
      aria-sort={sorted(column)}
    >
      <Show
        when={!column.head && column.sorts && props.onSort}
        fallback={column.head ? column.head() : <span class="cut">{column.title}</span>}
      >
        <button type="button" class={styles.sort} onClick={() => sort(column)}>
          {column.title}
          <Show when={sorted(column)}>{(way) => <Icon name={way() === "descending" ? "down" : "up"} size={12} />}</Show>
        </button>
      </Show>
    </div>
  );
  const drawn = (key: string) => {
    const index = createMemo((before: number) => seen().get(key) ?? before, 0);
    const held = createMemo(
      (before: { row: Row; change: number } | undefined) => {
        const row = props.rows[index()] ?? before!.row;
        return { row, change: props.rowChange?.(row) ?? 0 };
      },
      undefined,
      { equals: (one, other) => one?.row === other?.row && one?.change === other?.change },
    );
    const row = () => held()!.row;
    return (
      <div
        role="row"
        class={styles.row}
        data-row={key}
        data-selected={props.isSelected?.(row()) || undefined}
        aria-rowindex={index() + 2}
        tabIndex={key === stop() ? 0 : -1}
        style={{
          "grid-template-columns": template(),
          height: `${height()}px`,
          transform: `translateY(${index() * height()}px)`,
        }}
        onFocusIn={() => {
          activeAt = index();
          setActive(key);
        }}
        onMouseDown={(event) => {
          // With Shift rows are selected, and not the text between them.
          if (event.shiftKey && props.isSelected) event.preventDefault();
        }}
        onClick={(event) => open(row(), event)}
        onKeyDown={(event) => event.key === "Enter" && event.target === event.currentTarget && open(row(), event)}
      >
        <Show
          when={!isCard()}
          fallback={
            <div role="cell" class={styles.cell}>
              {props.card?.(row())}
            </div>
          }
        >
          <For each={columns()}>
            {(column) => (
              <div role="cell" class={styles.cell} classList={{ [styles.right!]: column.right }}>
                {column.cell(row())}
              </div>
            )}
          </For>
        </Show>
      </div>
    );
  };

  return (
    <div class={styles.frame}>
      <div
        ref={scroller}
        class={styles.scroller}
        onScroll={() => scroller.scrollTop !== top() && setScrolled({ top: scroller.scrollTop })}
        onWheel={moved}
        onPointerDown={moved}
        onKeyDown={onKeyDown}
        onFocusIn={() => (hadFocus = true)}
        onFocusOut={(event) => (hadFocus = event.relatedTarget === null && !event.target.isConnected)}
        tabIndex={props.rows.length ? -1 : 0}
      >
        <div
          role="table"
          aria-label={props.label}
          aria-rowcount={props.more ? -1 : props.rows.length + 1}
          class={styles.table}
          style={{ "min-width": `${least()}px` }}
        >
          <div
            class={isCard() ? "sr-only" : styles.head}
            role="row"
            aria-rowindex={1}
            style={{ "grid-template-columns": template() }}
          >
            <Show when={!isCard()} fallback={<div role="columnheader">{props.label}</div>}>
              <For each={columns()}>{head}</For>
            </Show>
          </div>
          <div
            role={props.rows.length ? "rowgroup" : "presentation"}
            class={styles.rows}
            style={{ height: `${props.rows.length * height()}px` }}
          >
            <For each={[...seen().keys()]}>{drawn}</For>
          </div>
        </div>
        <Show when={!props.rows.length}>{props.empty}</Show>
        {props.footer}
      </div>
      <Show when={fresh()}>
        {(count) => (
          <button type="button" class={styles.fresh} onClick={() => scrollTo(0)}>
            <Icon name="up" size={13} />
            {props.newRows?.(count())}
          </button>
        )}
      </Show>
    </div>
  );
}
