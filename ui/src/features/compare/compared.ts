/** The runs that are compared, each with what is read of it. */

import { useQuery } from "@tanstack/solid-query";
import { createEffect, createMemo, createSignal, mapArray, on, onCleanup } from "solid-js";
import type { Accessor } from "solid-js";
import { versionsOf } from "~/data/artifact-kinds";
import type { Artifact, Versions } from "~/data/artifact-kinds";
import { createArtifacts } from "~/data/artifacts";
import { createMetrics } from "~/data/metrics";
import type { RunMetrics } from "~/data/metrics";
import { known, lookAgain } from "~/data/queries";
import { TaskTable, readTasks } from "~/data/tasks";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import { live } from "~/lib/live";
import { tookByTask } from "./durations";
import type { Took } from "./durations";

export type FullRun = Shapes["FullRunShape"];

export interface Compared {
  id: string;
  run: Accessor<FullRun | undefined>;
  /** Why it cannot be shown: mostly, that it was deleted. */
  error: Accessor<Error | null>;
  /** By the name of the task; `null` until all are read. */
  took: Accessor<Map<string, Took> | null>;
  metrics: RunMetrics;
  /** The newest of each kind and key. */
  artifacts: Accessor<readonly Versions[]>;
  artifactsRead: Accessor<boolean>;
  /** What went wrong with a part of it. */
  problem: Accessor<Error | null>;
}

export function createCompared(ids: Accessor<readonly string[]>): Accessor<Compared[]> {
  return mapArray(ids, createOne);
}

function createOne(id: string): Compared {
  const query = useQuery(() => ({
    queryKey: ["run", id],
    queryFn: ({ signal }) => answered(api.GET("/api/flow-runs/{run}", { params: { path: { run: id } }, signal })),
  }));
  const run = () => known(query);
  const metrics = createMetrics(() => id);
  const artifacts = createArtifacts(() => id);
  const [table, setTable] = createSignal<TaskTable>();
  const [round, setRound] = createSignal(0);
  const [problem, setProblem] = createSignal<Error | null>(null);
  createEffect(
    on([() => run()?.state, round], ([state]) => {
      if (!state) return;
      const reading = new AbortController();
      onCleanup(() => reading.abort());
      const fresh = new TaskTable();
      readTasks(id, fresh, reading.signal).then(
        () => reading.signal.aborted || setTable(fresh),
        (error: Error) => reading.signal.aborted || setProblem(error),
      );
    }),
  );
  const again = lookAgain(query);
  const readAnew = () => {
    again();
    metrics.again();
    artifacts.again();
  };
  // A run that goes on is read again when it has come to another state.
  live.hear("flow-runs", (items) => {
    const item = items.findLast((one) => one.id === id);
    if (!item || item.state === (run()?.state ?? item.state)) return;
    readAnew();
  });
  live.hear("reset", () => {
    readAnew();
    setRound((n) => n + 1);
  });
  return {
    id,
    run,
    error: () => (run() ? null : query.error),
    took: createMemo(() => (table() ? tookByTask(table()!.rows()) : null)),
    metrics,
    artifacts: createMemo(() => versionsOf(artifacts.all())),
    artifactsRead: artifacts.isRead,
    problem: () => problem() ?? (run() ? (metrics.error() ?? artifacts.error()) : null),
  };
}

/** One artifact in each run: `undefined` where it has none, `null` where the run is gone or not read yet. */
export interface ArtifactLine {
  kind: string;
  key: string;
  each: readonly (Artifact | undefined | null)[];
}

export function artifactLines(runs: readonly Compared[]): ArtifactLine[] {
  const keyed = runs.map((run) =>
    run.artifactsRead()
      ? new Map(run.artifacts().flatMap(({ newest }) => (newest.key ? [[`${newest.kind} ${newest.key}`, newest] as const] : []))) // prettier-ignore
      : null,
  );
  const names = new Map(keyed.flatMap((one) => [...(one ?? [])]));
  return [...names].map(([name, artifact]) => ({
    kind: artifact.kind,
    key: artifact.key,
    each: keyed.map((one) => one && one.get(name)),
  }));
}
