import { Show } from "solid-js";
import type { JSX } from "solid-js";
import styles from "./card.module.css";

/** A part of a page that stands for itself, with its title. */
export function Card(props: {
  title?: JSX.Element;
  aside?: JSX.Element;
  flush?: boolean;
  class?: string;
  children: JSX.Element;
}) {
  return (
    <section class={`${styles.card} ${props.class ?? ""}`}>
      <Show when={props.title}>
        <header class={styles.head}>
          <h2>{props.title}</h2>
          <div class={styles.aside}>{props.aside}</div>
        </header>
      </Show>
      <div classList={{ [styles.body!]: !props.flush }}>{props.children}</div>
    </section>
  );
}
