import { Show, createEffect } from "solid-js";
import type { JSX } from "solid-js";
import styles from "./page.module.css";

/** A page: its title, which is the window's too, what one can do here, and the rest. */
export function Page(props: {
  title: string;
  heading?: JSX.Element;
  aside?: JSX.Element;
  /** Fills the height of the window; what is inside scrolls. */
  full?: boolean;
  children: JSX.Element;
}) {
  createEffect(() => {
    document.title = props.title ? `${props.title} · Nadi` : "Nadi";
  });
  return (
    <div class={styles.page} classList={{ [styles.full!]: props.full }}>
      <Show when={props.heading ?? props.title}>
        <header class={styles.head}>
          <h1 class="told">{props.heading ?? props.title}</h1>
          <div class={styles.aside}>{props.aside}</div>
        </header>
      </Show>
      {props.children}
    </div>
  );
}
