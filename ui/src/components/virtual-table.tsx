/** A table of any length, of which only the rows that are seen exist. Each has one height, told or by the look. */

import { For, Show, createMemo, createSignal } from "solid-js";
import { rowHeight } from "~/lib/density";
import { Icon } from "./icon";
import { leastWidth } from "./virtual-rows";
import { TableHead } from "./virtual-table-head";
import { createKeys } from "./virtual-table-keys";
import { createPlace } from "./virtual-table-place";
import type { TablePlace } from "./virtual-table-place";
import type { TableProps } from "./virtual-table-props";
import styles from "./virtual-table.module.css";

export type { Column, Sorting, TableHandle } from "./virtual-table-props";

const WIDE = 640;
const GAP = 12;
const PADDING = 12;
const CARD_BELOW = 560;
const CARD_HEIGHT = 60;

export function VirtualTable<Row>(props: TableProps<Row>) {
  let scroller!: HTMLDivElement;
  const [size, setSize] = createSignal({ width: innerWidth, height: innerHeight }, { equals: false });
  const isCard = () => props.card !== undefined && size().width < (props.cardBelow ?? CARD_BELOW);
  const height = () => (isCard() ? (props.cardHeight ?? CARD_HEIGHT) : (props.rowHeight ?? rowHeight()));
  const columns = createMemo(() =>
    props.columns.filter((column) => size().width >= (column.from ?? (column.wideOnly ? WIDE : 0))),
  );
  const widths = () => columns().map((column) => column.width);
  const template = createMemo(() => (isCard() ? "minmax(0, 1fr)" : widths().join(" ")));
  const least = createMemo(() => (isCard() ? 0 : leastWidth(widths(), GAP, PADDING)));

  const box = { scroller: () => scroller, size, setSize, height };
  const place: TablePlace = createPlace(props, box, () => keys.isInUse());
  const keys = createKeys(props, box, place, () => !isCard());
  props.handle?.(keys.handle);

  const open = (row: Row, event: MouseEvent | KeyboardEvent) => {
    const pressed = (event.target as HTMLElement).closest("a, button, input, label, select, textarea, summary");
    if (pressed && pressed !== event.currentTarget) return;
    if (event instanceof MouseEvent && String(getSelection())) return; // a text was marked, not a row pressed
    props.onOpen?.(row, event);
  };
  const drawn = (key: string) => {
    const index = createMemo((before: number) => place.seen().get(key) ?? before, 0);
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
        tabIndex={key === keys.stop() ? 0 : -1}
        style={{
          "grid-template-columns": template(),
          height: `${height()}px`,
          transform: `translateY(${index() * height()}px)`,
        }}
        onFocusIn={() => keys.onRowFocus(key, index())}
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
        onScroll={place.onScroll}
        onWheel={place.moved}
        onPointerDown={place.moved}
        onKeyDown={keys.onKeyDown}
        onFocusIn={keys.onFocusIn}
        onFocusOut={keys.onFocusOut}
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
            <TableHead table={props} columns={columns()} isCard={isCard()} />
          </div>
          <div
            role={props.rows.length ? "rowgroup" : "presentation"}
            class={styles.rows}
            style={{ height: `${props.rows.length * height()}px` }}
          >
            <For each={[...place.seen().keys()]}>{drawn}</For>
          </div>
        </div>
        <Show when={!props.rows.length}>{props.empty}</Show>
        {props.footer}
      </div>
      <Show when={place.fresh()}>
        {(count) => (
          <button type="button" class={styles.fresh} onClick={() => place.scrollTo(0)}>
            <Icon name="up" size={13} />
            {props.newRows?.(count())}
          </button>
        )}
      </Show>
    </div>
  );
}
