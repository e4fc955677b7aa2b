import { For, Show, createMemo } from "solid-js";
import type { Accessor, JSX } from "solid-js";
import { count } from "~/lib/numbers";
import styles from "./section.module.css";

/** A part of the page: its name, how many it has, and where there are more. */
export function Section(props: {
  title: string;
  count?: number;
  /** After the number, where there are more than were counted. */
  isMore?: boolean;
  aside?: JSX.Element;
  class?: string;
  children: JSX.Element;
}) {
  return (
    <section class={`${styles.section} ${props.class ?? ""}`} aria-label={props.title}>
      <header class={styles.head}>
        <h2>{props.title}</h2>
        <Show when={props.count}>
          {(n) => <span class={styles.count}>{`${count(n())}${props.isMore ? "+" : ""}`}</span>}
        </Show>
        <div class={styles.aside}>{props.aside}</div>
      </header>
      {props.children}
    </section>
  );
}

/** In place of rows where there are none: a quiet line. */
export function Nothing(props: { children: JSX.Element }) {
  return <p class={styles.nothing}>{props.children}</p>;
}

/** Rows that stay what they are while what they show changes, so that one who is in a row is not thrown out of it. */
export function Rows<Row>(props: {
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** In place of rows where there are none. */
  empty?: JSX.Element;
  children: (row: Accessor<Row>) => JSX.Element;
}) {
  const byKey = createMemo(() => new Map(props.rows.map((row) => [props.rowKey(row), row])));
  return (
    <Show when={byKey().size} fallback={props.empty}>
      <ul>
        <For each={[...byKey().keys()]}>
          {(key) => {
            const row = createMemo<Row>((before) => byKey().get(key) ?? before, byKey().get(key)!);
            return props.children(row);
          }}
        </For>
      </ul>
    </Show>
  );
}
