/** One run as a page shows it: the run, its task runs, and what the live stream tells of them. */

import { useQuery, useQueryClient } from "@tanstack/solid-query";
import { createContext, createEffect, createMemo, createSignal, on, onCleanup, useContext } from "solid-js";
import type { Accessor } from "solid-js";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import { live } from "~/lib/live";
import { isFinal } from "~/lib/state";
import { newer } from "./runs";
import { readTasks, rowOfTask, TaskTable } from "./tasks";

export type FullRun = Shapes["FullRunShape"];

export interface RunData {
  id: Accessor<string>;
  /** `undefined` until it is read. */
  run: Accessor<FullRun | undefined>;
  error: Accessor<Error | null>;
  reload: () => void;
  isFinal: Accessor<boolean>;
  /** Its task runs; of an outermost run, those of its subflows too. Filled once `needTasks` was called. */
  tasks: Accessor<TaskTable>;
  needTasks: () => void;
  /** Whether all task runs that there were have been read, and what went wrong with that. */
  tasksRead: Accessor<boolean>;
  tasksError: Accessor<Error | null>;
}

/** Follow one run, while the component that calls this is there. */
export function createRunData(id: Accessor<string>): RunData {
  const client = useQueryClient();
  const query = useQuery(() => ({
    queryKey: ["run", id()],
    queryFn: ({ signal }) => answered(api.GET("/api/flow-runs/{run}", { params: { path: { run: id() } }, signal })),
  }));
  const [heard, setHeard] = createSignal<Shapes["RunShape"]>();
  const run = createMemo(() => {
    const read = query.data;
    if (!read || read.id !== id()) return undefined;
    const told = heard();
    return told?.id === read.id && told.change > read.change ? { ...read, ...told } : read;
  });
  const reload = () => void client.invalidateQueries({ queryKey: ["run", id()] });

  createEffect(
    on(
      () => query.data?.id === id() && query.data.root,
      (root) => root && live.follow({ run: root, after: query.data!.change }),
    ),
  );
  onCleanup(() => live.followAll());
  live.hear("flow-runs", (items) => {
    for (const item of items) {
      if (item.id !== id()) continue;
      const before = run();
      setHeard((known) => (known?.id === item.id ? newer(known, item) : item));
      // What is told beside the state, such as a traceback or requests, comes with the run in full.
      if (before && (before.state !== item.state || before.attempt !== item.attempt)) reload();
    }
  });
  live.hear("reset", reload);

  const [tasks, setTasks] = createSignal(new TaskTable());
  const [wanted, setWanted] = createSignal(false);
  const [tasksRead, setTasksRead] = createSignal(false);
  const [tasksError, setTasksError] = createSignal<Error | null>(null);
  const [round, setRound] = createSignal(0);
  createEffect(
    on([id, wanted, round], ([run, isWanted]) => {
      const table = setTasks(new TaskTable());
      setTasksRead(false);
      setTasksError(null);
      if (!isWanted) return;
      const reading = new AbortController();
      onCleanup(() => reading.abort());
      readTasks(run, table, reading.signal).then(
        () => setTasksRead(true),
        (error: Error) => reading.signal.aborted || setTasksError(error),
      );
    }),
  );
  live.hear("task-runs", (items) => {
    if (!wanted()) return;
    // Of a subflow run only its own: the stream tells of all that the outermost run has.
    const isRoot = !run()?.parent;
    tasks().take((isRoot ? items : items.filter((task) => task.run === id())).map(rowOfTask));
  });
  live.hear("reset", () => setRound((n) => n + 1));

  return {
    id,
    run,
    error: () => (query.isError ? query.error : null),
    reload,
    isFinal: () => isFinal(run()?.state ?? ""),
    tasks,
    needTasks: () => setWanted(true),
    tasksRead,
    tasksError,
  };
}

const Context = createContext<RunData>();
export const RunProvider = Context.Provider;

/** The run that the page shows. */
export function useRun(): RunData {
  const found = useContext(Context);
  if (!found) throw new Error("useRun() is for what stands on the page of a run.");
  return found;
}
