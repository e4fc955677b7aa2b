/** The titles of the columns of a long table, by which it may be sorted. */

import { For, Show } from "solid-js";
import { Icon } from "./icon";
import type { Column, TableProps } from "./virtual-table-props";
import styles from "./virtual-table.module.css";

export function TableHead<Row>(props: { table: TableProps<Row>; columns: Column<Row>[]; isCard: boolean }) {
  return (
    <Show when={!props.isCard} fallback={<div role="columnheader">{props.table.label}</div>}>
      <For each={props.columns}>
        {(column) => <Title column={column} sorting={props.table.sorting} onSort={props.table.onSort} />}
      </For>
    </Show>
  );
}

function Title<Row>(props: { column: Column<Row> } & Pick<TableProps<Row>, "sorting" | "onSort">) {
  const { column } = props;
  const sorted = () =>
    props.sorting?.key !== column.key ? undefined : props.sorting.descending ? "descending" : "ascending";
  const sort = () => props.onSort?.({ key: column.key, descending: sorted() === "ascending" });
  return (
    <div role="columnheader" class={styles.title} classList={{ [styles.right!]: column.right }} aria-sort={sorted()}>
      <Show
        when={!column.head && column.sorts && props.onSort}
        fallback={column.head ? column.head() : <span class="cut">{column.title}</span>}
      >
        <button type="button" class={styles.sort} onClick={sort}>
          {column.title}
          <Show when={sorted()}>{(way) => <Icon name={way() === "descending" ? "down" : "up"} size={12} />}</Show>
        </button>
      </Show>
    </div>
  );
}
