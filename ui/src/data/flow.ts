/** One flow: how long its runs took, its tasks and its code. What changes is kept up to date by the live stream. */

import { keepPreviousData, useQuery } from "@tanstack/solid-query";
import { createSignal } from "solid-js";
import type { Accessor } from "solid-js";
import { answered, api, onceKey } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import { onRunMoved } from "./history";
import { known, lookAgain } from "./queries";

export type FlowCode = Shapes["FlowCode"];
export type FlowDurations = Shapes["FlowDurations"];
export type FlowTasks = Shapes["FlowTasks"];
export type TaskFigures = Shapes["TaskFigures"];

/** Milliseconds between two questions, however much happens. */
const OFTEN = 2_000;

/** What its runs came to. */
export function useFlow(flow: Accessor<string>) {
  const query = useQuery(() => ({
    queryKey: ["flow", flow()],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      answered(api.GET("/api/flows/{flow}", { params: { path: { flow: flow() } }, signal })),
  }));
  onRunMoved(lookAgain(query), OFTEN, (run) => run.flow === flow());
  return { query, flow: () => known(query) as Shapes["FlowShape"] | undefined };
}

/** How long its runs took that were made within so many seconds up to now; 0 for all that one answer looks at. */
export function useDurations(flow: Accessor<string>, seconds: Accessor<number>) {
  const query = useQuery(() => ({
    queryKey: ["flow-durations", flow(), seconds()],
    queryFn: ({ signal }: { signal: AbortSignal }) => {
      const since = seconds() ? new Date(Date.now() - seconds() * 1000).toISOString() : undefined;
      return answered(
        api.GET("/api/flows/{flow}/durations", {
          params: { path: { flow: flow() }, query: { since } as never },
          signal,
        }),
      );
    },
    placeholderData: keepPreviousData,
  }));
  onRunMoved(lookAgain(query), OFTEN, (run) => run.flow === flow());
  return { query, durations: () => known(query) };
}

/** Its tasks in its newest runs that have ended. */
export function useTaskFigures(flow: Accessor<string>, runs: Accessor<number>) {
  const query = useQuery(() => ({
    queryKey: ["flow-tasks", flow(), runs()],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      answered(
        api.GET("/api/flows/{flow}/tasks", { params: { path: { flow: flow() }, query: { runs: runs() } }, signal }),
      ),
    placeholderData: keepPreviousData,
  }));
  onRunMoved(lookAgain(query), OFTEN, (run) => run.flow === flow() && run.ended !== null);
  return { query, tasks: () => known(query) };
}

/** What the text of its code says; and once it is asked for, what the loaded code says, which runs it on the server. */
export function useFlowCode(flow: Accessor<string>, mayLoad: Accessor<boolean>) {
  const [asked, setAsked] = createSignal("");
  const preview = useQuery(() => ({
    queryKey: ["flow-preview", flow()],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      answered(api.GET("/api/flows/{flow}/preview", { params: { path: { flow: flow() } }, signal })),
    staleTime: 30_000,
  }));
  const inspection = useQuery(() => ({
    queryKey: ["flow-inspection", flow()],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      answered(
        api.POST("/api/flows/{flow}/inspect", { params: { path: { flow: flow() } }, headers: onceKey(), signal }),
      ),
    enabled: mayLoad() && asked() === flow(),
    staleTime: 60_000,
    retry: false,
  }));
  return {
    preview,
    inspection,
    /** What the text says. */
    read: () => known(preview),
    /** What the loaded code says. */
    loaded: () => (inspection.isPending ? undefined : inspection.data),
    isLoading: () => inspection.isFetching,
    load: () => {
      if (asked() === flow()) void inspection.refetch();
      else setAsked(flow());
    },
  };
}

/** The graph of one run. */
export function useRunGraph(run: Accessor<string>) {
  const query = useQuery(() => ({
    queryKey: ["flow-graph-of-run", run()],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      answered(api.GET("/api/flow-runs/{run}/graph", { params: { path: { run: run() } }, signal })),
    enabled: run() !== "",
  }));
  onRunMoved(lookAgain(query), OFTEN, (moved) => moved.id === run());
  return { query, graph: () => known(query) };
}
