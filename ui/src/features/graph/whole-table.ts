/** The task runs of an outermost run, where the page is that of one of its subflows, which knows its own alone. */

import { createEffect, createSignal, on, onCleanup } from "solid-js";
import type { Accessor } from "solid-js";
import { TaskTable, readTasks, rowOfTask } from "~/data/tasks";
import { live } from "~/lib/live";

/** @param root Id of the outermost run; "" where its task runs are not needed. */
export function createWholeTable(root: Accessor<string>): { table: Accessor<TaskTable>; isRead: Accessor<boolean> } {
  const [table, setTable] = createSignal(new TaskTable());
  const [isRead, setRead] = createSignal(false);
  const [round, setRound] = createSignal(0);
  createEffect(
    on([root, round], ([root]) => {
      setRead(false);
      if (!root) return;
      const fresh = setTable(new TaskTable());
      const reading = new AbortController();
      onCleanup(() => reading.abort());
      readTasks(root, fresh, reading.signal).then(
        () => reading.signal.aborted || setRead(true),
        // The graph's own states are shown then.
        () => undefined,
      );
    }),
  );
  live.hear("task-runs", (items) => root() && table().take(items.map(rowOfTask)));
  live.hear("reset", () => setRound((n) => n + 1));
  return { table, isRead };
}
