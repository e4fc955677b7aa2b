import { useHref } from "@solidjs/router";
import { Index, createEffect, createMemo, onCleanup } from "solid-js";
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
      {/* By their places: who makes them anew with each change of a run must not take the focus from a link. */}
      <Index each={props.tabs}>{(tab) => <Tab tab={tab()} />}</Index>
    </nav>
  );
}

// The router's own link takes every one for the current one whose path is, whatever the query says.
function Tab(props: { tab: TabLink }) {
  const href = useHref(() => props.tab.href);
  let link!: HTMLAnchorElement;
  const isCurrent = createMemo(() => props.tab.current);
  // Where there is little room one would not see where one is. It has a size once it is in the document.
  createEffect(() => {
    if (!isCurrent()) return;
    const watch = new ResizeObserver(() => bringIntoView(link));
    watch.observe(link);
    onCleanup(() => watch.disconnect());
  });
  return (
    <a
      ref={link}
      href={href()}
      class={styles.tab}
      aria-current={props.tab.current ? "page" : undefined}
      {...{ noscroll: true }}
    >
      {props.tab.label}
    </a>
  );
}

/** Scroll the tabs, and nothing around them, until all of one is seen. */
function bringIntoView(link: HTMLElement): void {
  const tabs = link.parentElement;
  if (!tabs) return;
  const [one, all] = [link.getBoundingClientRect(), tabs.getBoundingClientRect()];
  if (one.left < all.left) tabs.scrollLeft -= all.left - one.left;
  else if (one.right > all.right) tabs.scrollLeft += one.right - all.right;
}
