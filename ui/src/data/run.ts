/**
 * One run as a page shows it: the run, its task runs, and what the live stream tells of them.
 *
 * The run is read first. From its change number on the stream is followed, and only then the task runs are read: what
 * changes in between is told by the stream, and of two answers about the same thing the newer one counts. So nothing
 * is missed, whatever comes first.
 */

import { useQuery, useQueryClient } from "@tanstack/solid-query";
import {
  batch,
  createContext,
  createEffect,
  createMemo,
  createSignal,
  on,
  onCleanup,
  untrack,
  useContext,
} from "solid-js";
import type { Accessor } from "solid-js";
import { Problem, answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import { live } from "~/lib/live";
import type { Live } from "~/lib/live";
import { isFinal } from "~/lib/state";
import { known } from "./queries";
import { newer } from "./runs";
import { readTasks, rowOfTask, TaskTable } from "./tasks";

export type FullRun = Shapes["FullRunShape"];

export interface RunData {
  id: Accessor<string>;
  /** `undefined` until it is read. */
  run: Accessor<FullRun | undefined>;
  error: Accessor<Error | null>;
  /** Whether somebody deleted it while it was looked at. */
  isDeleted: Accessor<boolean>;
  /** Read the run anew, and its task runs where that went wrong. */
  reload: () => void;
  isFinal: Accessor<boolean>;
  /** Its task runs; of an outermost run, those of its subflows too. Filled once `needTasks` was called. */
  tasks: Accessor<TaskTable>;
  needTasks: () => void;
  /** Whether all task runs that there were have been read, and what went wrong with that. */
  tasksRead: Accessor<boolean>;
  tasksError: Accessor<Error | null>;
}

/** What stands in the cache of one run. */
export const runKey = (id: string) => ["run", id] as const;

function isGone(error: Error | null): boolean {
  return error instanceof Problem && error.status === 404;
}

/** Follow one run, while the component that calls this is there. */
export function createRunData(id: Accessor<string>, stream: Live = live): RunData {
  const client = useQueryClient();
  const query = useQuery(() => ({
    queryKey: runKey(id()),
    // What was kept may be old by as much as was told while another run was open.
    staleTime: 0,
    queryFn: ({ signal }) => answered(api.GET("/api/flow-runs/{run}", { params: { path: { run: id() } }, signal })),
  }));
  const [heard, setHeard] = createSignal<Shapes["RunShape"]>();
  const [deleted, setDeleted] = createSignal<readonly string[]>([]);
  const read = createMemo(() => {
    const found = known(query);
    // Of the run before, as long as this one is not there.
    return found?.id === id() ? found : undefined;
  });
  const run = createMemo((): FullRun | undefined => {
    const found = read();
    const told = heard();
    return found && told?.id === found.id && told.change > found.change ? { ...found, ...told } : found;
  });
  const readAnew = () => void client.invalidateQueries({ queryKey: runKey(id()) });

  // -- the stream --

  /** Change number of the state for which the run was read anew last. */
  let asked = 0;
  /** Whose news are told: those of the run before go on until this one is read. */
  let followed = "";
  createEffect(
    on(
      () => read()?.root,
      (root) => {
        if (!root) return;
        stream.follow({ run: root, after: read()!.change });
        followed = root;
      },
    ),
  );
  onCleanup(() => stream.followAll());
  stream.hear("flow-runs", (items) => {
    const item = items.findLast((one) => one.id === id());
    if (item) setHeard((known) => (known?.id === item.id ? newer(known, item) : item));
  });
  stream.hear("deleted", (ids) => {
    const root = untrack(read)?.root;
    if (root && ids.includes(root)) setDeleted((all) => [...all, root]);
  });
  stream.hear("reset", () => {
    setHeard(undefined);
    asked = 0;
    readAnew();
  });

  // What is told beside the state, such as a traceback or requests, comes with the run in full alone.
  createEffect(() => {
    const [full, now] = [read(), run()];
    if (!full || !now || query.isFetching || now.change <= asked) return;
    if (now.state === full.state && now.attempt === full.attempt) return;
    asked = now.change;
    readAnew();
  });

  // -- its task runs --

  const [tasks, setTasks] = createSignal(new TaskTable());
  const [wanted, setWanted] = createSignal(false);
  const [tasksRead, setTasksRead] = createSignal(false);
  const [tasksError, setTasksError] = createSignal<Error | null>(null);
  const [round, setRound] = createSignal(0);
  const readId = createMemo(() => read()?.id);
  /** Is read in place of the table that is shown, which stays until then. */
  let fresh: TaskTable | undefined;
  createEffect(
    on(id, () => {
      setTasks(new TaskTable());
      setTasksRead(false);
    }),
  );
  createEffect(
    // Not before the run itself: what changes while they are read is told from its change number on.
    on([readId, wanted, round], ([run, isWanted]) => {
      setTasksError(null);
      if (!run || !isWanted) return;
      const table = untrack(tasksRead) ? (fresh = new TaskTable()) : untrack(tasks);
      const reading = new AbortController();
      onCleanup(() => {
        reading.abort();
        fresh = undefined;
      });
      readTasks(run, table, reading.signal).then(
        () => {
          if (reading.signal.aborted) return;
          fresh = undefined;
          batch(() => {
            setTasks(table);
            setTasksRead(true);
          });
        },
        (error: Error) => {
          if (reading.signal.aborted) return;
          fresh = undefined;
          setTasksError(error);
        },
      );
    }),
  );
  stream.hear("task-runs", (items) => {
    const now = read();
    if (!wanted() || !now || now.root !== followed) return;
    // Of a subflow run only its own: the stream tells of all that the outermost run has.
    const own = now.parent ? items.filter((task) => task.run === now.id) : items;
    // Each table changes its rows in place, and has its own.
    for (const table of [tasks(), fresh]) table?.take(own.map(rowOfTask));
  });
  stream.hear("reset", () => {
    // What was read of it may be of another store. What is shown whole stays until the other is there.
    if (!tasksRead()) setTasks(new TaskTable());
    setRound((n) => n + 1);
  });

  return {
    id,
    run,
    error: () => (query.isError ? query.error : null),
    isDeleted: () => deleted().includes(read()?.root ?? "") || isGone(query.error),
    reload: () => {
      readAnew();
      if (tasksError()) setRound((n) => n + 1);
    },
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
