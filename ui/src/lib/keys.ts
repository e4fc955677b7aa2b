/** Keys: who wants which, and the list that `?` shows. */

import { createSignal, onCleanup, onMount } from "solid-js";

export interface Shortcut {
  /** As `event.key` has it; two after each other with a space between, such as "g r". */
  keys: string;
  /** What it does, for the list. */
  does: string;
  run: () => void;
}

const [shortcuts, setShortcuts] = createSignal<readonly Shortcut[]>([]);
export { shortcuts };

/** Offer keys as long as the component that calls this is there. A later one with the same keys goes first. */
export function useKeys(...offered: Shortcut[]): void {
  onMount(() => setShortcuts((all) => [...offered, ...all]));
  onCleanup(() => setShortcuts((all) => all.filter((one) => !offered.includes(one))));
}

/** Milliseconds within which the second key of two must follow. */
const TOGETHER = 900;
let first = "";
let firstAt = 0;

/** Fields in which no text is written. */
const PRESSED = /^(checkbox|radio|button|submit|reset|file|range|color)$/;

/** Whether keys go to what has the focus, because one writes there. */
function isWriting(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !PRESSED.test(target.type);
  return target instanceof HTMLElement && (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName));
}

export function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const both = event.timeStamp - firstAt < TOGETHER ? `${first} ${event.key}` : "";
  const found = shortcuts().find((one) => one.keys === both) ?? shortcuts().find((one) => one.keys === event.key);
  [first, firstAt] = [event.key, event.timeStamp];
  if (!found) return;
  event.preventDefault();
  first = "";
  found.run();
}
