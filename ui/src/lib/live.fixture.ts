/** The live stream as a test tells it: `vi.mock("~/lib/live", () => import("~/lib/live.fixture"))`. */

import { batch, onCleanup } from "solid-js";
import type { Kind, News } from "./live";

const listeners = new Map<Kind, Set<(items: never) => void>>();

export const live = {
  resets: 0,
  connection: () => "live",
  ready: () => Promise.resolve(),
  told: () => 0,
  catchUp: () => undefined,
  follow: () => undefined,
  followAll: () => undefined,
  hear(kind: Kind, listener: (items: never) => void): void {
    const heard = listeners.get(kind) ?? new Set();
    listeners.set(kind, heard.add(listener));
    onCleanup(() => heard.delete(listener));
  },
};

/** What the stream tells: parts of what the server sends are enough, as far as they are looked at. */
export function tell<K extends Kind>(kind: K, items: { [P in keyof News[K][number]]?: unknown }[] = []): void {
  if (kind === "reset") live.resets += 1;
  batch(() => {
    for (const listener of listeners.get(kind) ?? []) listener(items as never);
  });
}
