/** What this browser keeps between visits. */

import { createSignal } from "solid-js";
import type { Signal } from "solid-js";

const PREFIX = "nadi.";

/** A signal whose value the browser keeps; what is there and does not fit is as if nothing was there. */
export function kept<T>(name: string, first: T, fits: (told: unknown) => boolean): Signal<T> {
  const [value, setValue] = createSignal<T>(read(name, first, fits));
  const set = ((next: unknown) => {
    const now = setValue(next as never);
    try {
      localStorage.setItem(PREFIX + name, JSON.stringify(now));
    } catch {
      // A browser that keeps nothing: it is so until the page is left.
    }
    return now;
  }) as Signal<T>[1];
  return [value, set];
}

function read<T>(name: string, first: T, fits: (told: unknown) => boolean): T {
  try {
    const told: unknown = JSON.parse(localStorage.getItem(PREFIX + name) ?? "null");
    return told !== null && fits(told) ? (told as T) : first;
  } catch {
    return first;
  }
}
