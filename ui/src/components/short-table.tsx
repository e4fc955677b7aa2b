import { For, Show } from "solid-js";
import type { JSX } from "solid-js";
import styles from "./short-table.module.css";

export interface ShortColumn<Row> {
  title: string;
  cell: (row: Row) => JSX.Element;
  /** Whether the numbers in it stand under each other. */
  right?: boolean;
  /** Whether its title is only read aloud, as over buttons. */
  untitled?: boolean;
}

/** A table of few rows, all of which are there. Where there is little room each row stands as a list of its cells. */
export function ShortTable<Row>(props: {
  label: string;
  columns: ShortColumn<Row>[];
  rows: readonly Row[];
  empty: JSX.Element;
}) {
  return (
    <Show when={props.rows.length} fallback={props.empty}>
      <table class={styles.table} aria-label={props.label}>
        <thead>
          <tr>
            <For each={props.columns}>
              {(column) => (
                <th scope="col" classList={{ [styles.right!]: column.right }}>
                  <span classList={{ "sr-only": column.untitled }}>{column.title}</span>
                </th>
              )}
            </For>
          </tr>
        </thead>
        <tbody>
          <For each={props.rows}>
            {(row) => (
              <tr>
                <For each={props.columns}>
                  {(column) => (
                    <td classList={{ [styles.right!]: column.right }} data-title={column.untitled ? "" : column.title}>
                      <div class={styles.cell}>{column.cell(row)}</div>
                    </td>
                  )}
                </For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </Show>
  );
}
