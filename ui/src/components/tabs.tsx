import { A } from "@solidjs/router";
import { For } from "solid-js";
import type { JSX } from "solid-js";
import styles from "./tabs.module.css";

export interface TabLink {
  href: string;
  label: JSX.Element;
  current: boolean;
}

/** Links between the parts of a page, each with a URL of its own. */
export function Tabs(props: { label: string; tabs: TabLink[] }) {
  return (
    <nav class={styles.tabs} aria-label={props.label}>
      <For each={props.tabs}>
        {(tab) => (
          <A
            href={tab.href}
            class={styles.tab}
            aria-current={tab.current ? "page" : undefined}
            noScroll
            activeClass=""
            inactiveClass=""
          >
            {tab.label}
          </A>
        )}
      </For>
    </nav>
  );
}
