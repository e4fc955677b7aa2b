/**
 * The task runs of one run, of which there may be tens of thousands: rows in a table beside the views, which ask it for
 * what they draw when `version` changes. A signal for each would cost more than the drawing.
 */

import { createSignal } from "solid-js";
import type { Accessor, Setter } from "solid-js";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import { secondsOf } from "~/lib/times";

/** One task run. Times are Unix seconds, 0 for "not yet". */
export interface TaskRow {
  id: string;
  name: string;
  /** The flow run that called it. */
  run: string;
  state: string;
  stateName: string;
  created: number;
  started: number;
  ended: number;
  task: string;
  /** -1 outside of a map. */
  mapIndex: number;
  attempt: number;
  upstream: readonly string[];
  /** When it is to go on; 0 for none. */
  due: number;
  /** Why it ran again; "" otherwise. */
  reason: string;
  /** The beginning of what its state says. */
  message: string;
  change: number;
}

type Bar = [
  ...[string, string, string, string, string, number, number, number],
  ...[string, number, number, string[], number, string, string, number],
];

function rowOfBar(bar: Bar): TaskRow {
  const [
    id,
    name,
    run,
    state,
    stateName,
    created,
    started,
    ended,
    task,
    mapIndex,
    attempt,
    upstream,
    due,
    reason,
    message,
    change,
  ] = bar;
  return {
    id,
    name,
    run,
    state,
    stateName,
    created,
    started,
    ended,
    task,
    mapIndex,
    attempt,
    upstream,
    due,
    reason,
    message,
    change,
  };
}

/** Characters of a message that a row keeps, as the server cuts those of bars: the stream tells all of it. */
const MOST_OF_A_MESSAGE = 200;

export function rowOfTask(task: Shapes["TaskShape"]): TaskRow {
  return {
    id: task.id,
    name: task.name,
    run: task.run,
    state: task.state,
    stateName: task.state_name,
    created: secondsOf(task.created),
    started: secondsOf(task.started),
    ended: secondsOf(task.ended),
    task: task.task,
    mapIndex: task.map_index ?? -1,
    attempt: task.attempt,
    upstream: task.upstream,
    due: secondsOf(task.due),
    reason: task.reason,
    message: task.message.slice(0, MOST_OF_A_MESSAGE),
    change: task.change,
  };
}

/** Seconds that a task run has taken up to now. */
export function took(row: TaskRow, now: number): number {
  return row.started ? Math.max(0, (row.ended || now) - row.started) : 0;
}

export class TaskTable {
  /** Grows with each change; read it in whatever draws rows. */
  readonly version: Accessor<number>;
  private readonly setVersion: Setter<number>;
  private readonly byId = new Map<string, TaskRow>();
  private inOrder: TaskRow[] = [];
  private isSorted = true;

  constructor() {
    [this.version, this.setVersion] = createSignal(0);
  }

  get size(): number {
    return this.byId.size;
  }

  /**
   * All rows, in the order in which they were made. Not to be changed; and always the same array, which tells nobody
   * that something in it is new: read `version` beside it.
   */
  rows(): readonly TaskRow[] {
    if (!this.isSorted) {
      this.inOrder.sort((a, b) => (a.id < b.id ? -1 : 1));
      this.isSorted = true;
    }
    return this.inOrder;
  }

  row(id: string): TaskRow | undefined {
    return this.byId.get(id);
  }

  /** Take rows in, each unless a newer one is there. Rows keep their identity: they are changed in place. */
  take(rows: Iterable<TaskRow>): void {
    let changed = false;
    for (const row of rows) {
      const known = this.byId.get(row.id);
      if (known) {
        if (known.change >= row.change) continue;
        Object.assign(known, row);
        changed = true;
        continue;
      }
      const last = this.inOrder.at(-1);
      if (last && last.id > row.id) this.isSorted = false;
      this.byId.set(row.id, row);
      this.inOrder.push(row);
      changed = true;
    }
    if (changed) this.setVersion((version) => version + 1);
  }
}

/** Rows of one request. */
const PAGE = 5_000;

/** Read all task runs of a run into a table, page by page, so that the first are there soon. */
export async function readTasks(run: string, table: TaskTable, signal: AbortSignal): Promise<void> {
  let after = "";
  do {
    const page = await answered(
      api.GET("/api/flow-runs/{run}/timeline", {
        params: { path: { run }, query: { after, limit: after ? PAGE : 1_000 } },
        signal,
      }),
    );
    table.take((page.bars as unknown as Bar[]).map(rowOfBar));
    after = page.next;
  } while (after);
}
