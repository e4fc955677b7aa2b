/** How one wants to see the timeline, as its URL says it. */

import { createMemo, createSignal } from "solid-js";
import type { Accessor } from "solid-js";
import { ARRANGEMENTS } from "~/graph/timeline/rows";
import type { Arrangement } from "~/graph/timeline/rows";
import { useSearch } from "~/lib/search";

/** Groups of so many pieces have rows of their own, until one folds them. */
const OPEN_UP_TO = 24;

export interface Settings {
  by: Accessor<Arrangement>;
  setBy: (by: Arrangement) => void;
  /** Whether nothing is cut out of the axis. */
  isTrue: Accessor<boolean>;
  setTrue: (isTrue: boolean) => void;
  hasPath: Accessor<boolean>;
  setPath: (hasPath: boolean) => void;
  isOpen: (key: string, count: number) => boolean;
  toggle: (key: string, isOpen: boolean) => void;
  /** Changes with what is folded. */
  folds: Accessor<string>;
  rowHeight: Accessor<number>;
  /** Pixels that rows have, and who says so. */
  room: Accessor<number>;
  setRoom: (room: number) => void;
}

export function createSettings(rowHeight: Accessor<number>): Settings {
  const search = useSearch();
  const [room, setRoom] = createSignal(0);
  const open = createMemo(() => new Set(search.all("open")));
  const shut = createMemo(() => new Set(search.all("shut")));
  const by = createMemo(() => ARRANGEMENTS.find((one) => one === search.one("by")) ?? "task");
  return {
    by,
    setBy: (by) => search.set({ by: by === "task" ? undefined : by, open: undefined, shut: undefined }),
    isTrue: createMemo(() => search.one("scale") === "true"),
    setTrue: (isTrue) => search.set({ scale: isTrue ? "true" : undefined, from: undefined, to: undefined }),
    hasPath: createMemo(() => search.one("path") === "critical"),
    setPath: (hasPath) => search.set({ path: hasPath ? "critical" : undefined }),
    isOpen: (key, count) => open().has(key) || (count <= OPEN_UP_TO && !shut().has(key)),
    toggle: (key, isOpen) =>
      search.set({
        open: isOpen ? [...open(), key] : [...open()].filter((one) => one !== key),
        shut: isOpen ? [...shut()].filter((one) => one !== key) : [...shut(), key],
      }),
    folds: createMemo(() => JSON.stringify([search.all("open"), search.all("shut")])),
    rowHeight,
    room,
    setRoom,
  };
}
