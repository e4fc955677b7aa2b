/** A table of any length, of which only the rows that are seen exist. */

import { createVirtualizer } from "@tanstack/solid-virtual";
import { For, Show, createEffect, createMemo, createSignal, on, onCleanup, onMount } from "solid-js";
import type { JSX } from "solid-js";
import { Icon } from "./icon";
import styles from "./virtual-table.module.css";

export interface Column<Row> {
  key: string;
  title: string;
  /** As a grid has it: "minmax(120px, 2fr)", "90px". */
  width: string;
  cell: (row: Row) => JSX.Element;
  /** Whether the numbers in it stand under each other. */
  right?: boolean;
  /** Whether it can be sorted by. */
  sorts?: boolean;
  /** Left out where there is little room. */
  wideOnly?: boolean;
}

export interface Sorting {
  key: string;
  descending: boolean;
}

/** Rows beside those that are seen which exist too. */
const OVERSCAN = 8;
/** Pixels below which columns that are `wideOnly` are left out. */
const NARROW = 640;

export function VirtualTable<Row>(props: {
  label: string;
  rows: readonly Row[];
  columns: Column<Row>[];
  rowKey: (row: Row) => string;
  /** Pixels. */
  rowHeight?: number;
  /** Where a row leads, by click or Enter. */
  href?: (row: Row) => string;
  onOpen?: (row: Row) => void;
  isSelected?: (row: Row) => boolean;
  sorting?: Sorting;
  onSort?: (sorting: Sorting) => void;
  /** Asked for when the end comes near. */
  onEnd?: () => void;
  /** In place of rows, where there are none. */
  empty?: JSX.Element;
  /** Below the last row. */
  footer?: JSX.Element;
}) {
  const height = () => props.rowHeight ?? 34;
  let scroller!: HTMLDivElement;
  const [narrow, setNarrow] = createSignal(false);
  const [active, setActive] = createSignal(0);
  onMount(() => {
    const watch = new ResizeObserver(([entry]) => setNarrow(entry!.contentRect.width < NARROW));
    watch.observe(scroller);
    onCleanup(() => watch.disconnect());
  });
  const columns = createMemo(() => props.columns.filter((column) => !(column.wideOnly && narrow())));
  const template = () =>
    columns()
      .map((column) => column.width)
      .join(" ");
  const virtual = createVirtualizer({
    get count() {
      return props.rows.length;
    },
    getScrollElement: () => scroller,
    estimateSize: () => height(),
    overscan: OVERSCAN,
  });
  const last = createMemo(() => virtual.getVirtualItems().at(-1)?.index ?? 0);
  createEffect(on([last, () => props.rows.length], ([end, rows]) => rows && end >= rows - OVERSCAN && props.onEnd?.()));

  const go = (to: number) => {
    const at = Math.max(0, Math.min(props.rows.length - 1, to));
    setActive(at);
    virtual.scrollToIndex(at);
    queueMicrotask(() => scroller.querySelector<HTMLElement>(`[data-row="${at}"]`)?.focus({ preventScroll: true }));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(scroller.clientHeight / height()) - 2);
    const to = {
      ArrowDown: active() + 1,
      ArrowUp: active() - 1,
      j: active() + 1,
      k: active() - 1,
      PageDown: active() + page,
      PageUp: active() - page,
      Home: 0,
      End: props.rows.length - 1,
    }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement && event.target.type !== "checkbox") return;
    event.preventDefault();
    go(to);
  };
  const open = (row: Row, event: MouseEvent | KeyboardEvent) => {
    if ((event.target as HTMLElement).closest("a, button, input, label") && event.target !== event.currentTarget)
      return;
    if (event instanceof MouseEvent && String(getSelection())) return; // a text was marked, not a row pressed
    props.onOpen?.(row);
  };
  const sort = (column: Column<Row>) =>
    props.onSort?.({
      key: column.key,
      descending: props.sorting?.key === column.key ? !props.sorting.descending : false,
    });

  return (
    <div class={styles.frame}>
      <div
        ref={scroller}
        class={styles.scroller}
        role="table"
        aria-label={props.label}
        aria-rowcount={props.rows.length + 1}
        onKeyDown={onKeyDown}
        tabIndex={props.rows.length ? -1 : 0}
      >
        <div class={styles.head} role="row" aria-rowindex={1} style={{ "grid-template-columns": template() }}>
          <For each={columns()}>
            {(column) => (
              <div
                role="columnheader"
                class={styles.title}
                classList={{ [styles.right!]: column.right }}
                aria-sort={
                  props.sorting?.key === column.key
                    ? props.sorting.descending
                      ? "descending"
                      : "ascending"
                    : undefined
                }
              >
                <Show when={column.sorts && props.onSort} fallback={<span class="cut">{column.title}</span>}>
                  <button type="button" class={styles.sort} onClick={() => sort(column)}>
                    {column.title}
                    <Show when={props.sorting?.key === column.key}>
                      <Icon name={props.sorting?.descending ? "down" : "up"} size={12} />
                    </Show>
                  </button>
                </Show>
              </div>
            )}
          </For>
        </div>
        <div role="rowgroup" class={styles.rows} style={{ height: `${virtual.getTotalSize()}px` }}>
          <For each={virtual.getVirtualItems()}>
            {(item) => {
              const row = () => props.rows[item.index];
              return (
                <Show when={row()}>
                  {(row) => (
                    <div
                      role="row"
                      class={styles.row}
                      data-row={item.index}
                      aria-rowindex={item.index + 2}
                      aria-selected={props.isSelected?.(row())}
                      tabIndex={item.index === active() ? 0 : -1}
                      style={{
                        "grid-template-columns": template(),
                        height: `${height()}px`,
                        transform: `translateY(${item.start}px)`,
                      }}
                      onFocus={() => setActive(item.index)}
                      onClick={(event) => open(row(), event)}
                      onKeyDown={(event) =>
                        event.key === "Enter" && event.target === event.currentTarget && open(row(), event)
                      }
                    >
                      <For each={columns()}>
                        {(column) => (
                          <div role="cell" class={styles.cell} classList={{ [styles.right!]: column.right }}>
                            {column.cell(row())}
                          </div>
                        )}
                      </For>
                    </div>
                  )}
                </Show>
              );
            }}
          </For>
        </div>
        <Show when={!props.rows.length}>{props.empty}</Show>
        {props.footer}
      </div>
    </div>
  );
}
