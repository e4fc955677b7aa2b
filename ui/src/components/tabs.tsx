import { useHref } from "@solidjs/router";
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
      <For each={props.tabs}>{(tab) => <Tab tab={tab} />}</For>
    </nav>
  );
}

// The router's own link takes every one for the current one whose path is, whatever the query says.
function Tab(props: { tab: TabLink }) {
  const href = useHref(() => props.tab.href);
  return (
    <a href={href()} class={styles.tab} aria-current={props.tab.current ? "page" : undefined} {...{ noscroll: true }}>
      {props.tab.label}
    </a>
  );
}
