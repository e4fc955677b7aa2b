/** Which rows are selected, by id. */

import { createMemo, createSignal } from "solid-js";
import type { Accessor } from "solid-js";

/** Ids from one to another, both included, in either direction; only `to` where the first is not there any more. */
export function idsBetween(ids: readonly string[], from: string, to: string): string[] {
  const [one, other] = [ids.indexOf(from), ids.indexOf(to)];
  return one < 0 || other < 0 ? [to] : ids.slice(Math.min(one, other), Math.max(one, other) + 1);
}

/** Selected rows of a list; what leaves the list is not selected any more. */
export function createSelection<Row extends { id: string }>(rows: Accessor<readonly Row[]>) {
  const [ids, setIds] = createSignal<ReadonlySet<string>>(new Set());
  /** From where a range goes. */
  let anchor = "";
  const selected = createMemo(() => (ids().size ? rows().filter((row) => ids().has(row.id)) : []));
  return {
    selected,
    has: (row: Row) => ids().has(row.id),
    toggle(row: Row): void {
      anchor = row.id;
      setIds((now) => {
        const next = new Set(now);
        if (!next.delete(row.id)) next.add(row.id);
        return next;
      });
    },
    /** Select all from the last one that was toggled up to this one. */
    extend(row: Row): void {
      const all = rows().map((one) => one.id);
      const more = idsBetween(all, anchor || row.id, row.id);
      anchor ||= row.id;
      setIds((now) => new Set([...now, ...more]));
    },
    all: () => setIds(new Set(rows().map((row) => row.id))),
    clear: () => setIds(new Set<string>()),
  };
}
