/** What went wrong and what waits, kept up to date by the live stream. */

import { keepPreviousData, useQuery } from "@tanstack/solid-query";
import { createEffect, createMemo, on } from "solid-js";
import type { Accessor } from "solid-js";
import { onRunMoved } from "~/data/history";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import { isFinal, wentWrong } from "~/lib/state";
import { createNow } from "~/lib/times";
import { inUrl } from "./home-range";

export type FailureGroup = Shapes["FailureGroup"];
export type WaitingRun = Shapes["WaitingRun"];

/** Milliseconds between two questions, however much happens. */
const OFTEN = 1_000;
/** Groups of failures that are shown. */
const GROUPS = 20;
const WAITING = 20;

/** Failures of a time, grouped by error. */
export function useFailures(range: Accessor<readonly [from: number, to: number]>) {
  const query = useQuery(() => {
    const [since, until] = range().map(inUrl) as [string, string];
    return {
      queryKey: ["failures", since, until],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        answered(api.GET("/api/failures", { params: { query: { since, until, limit: GROUPS } }, signal })),
      placeholderData: keepPreviousData,
    };
  });
  // A run that goes on after it had failed is no failure any more.
  onRunMoved(
    () => void query.refetch({ cancelRefetch: false }),
    OFTEN,
    (run) => wentWrong(run.state) || run.attempt > 1,
  );
  return { query, failures: createMemo(() => (query.isPending ? undefined : query.data)) };
}

/** Runs that wait, and why. */
export function useWaiting() {
  const query = useQuery(() => ({
    queryKey: ["waiting"],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      answered(api.GET("/api/waiting", { params: { query: { limit: WAITING } }, signal })),
  }));
  const waiting = createMemo(() => (query.isPending ? undefined : query.data));
  const isThere = (id: string) => waiting()?.waiting.some((one) => one.run.id === id) ?? false;
  onRunMoved(
    () => void query.refetch({ cancelRefetch: false }),
    OFTEN,
    (run) => isThere(run.id) || !isFinal(run.state),
  );
  // The reasons say for how long something has been so, and are told anew while there are any.
  const minute = createNow(60_000);
  createEffect(
    on(minute, () => waiting()?.waiting.length && void query.refetch({ cancelRefetch: false }), { defer: true }),
  );
  return { query, waiting };
}
