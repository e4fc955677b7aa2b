/** What went wrong and what waits, kept up to date by the live stream. */

import { keepPreviousData, useQuery } from "@tanstack/solid-query";
import { createEffect, createMemo, onCleanup } from "solid-js";
import type { Accessor } from "solid-js";
import { onRunMoved } from "~/data/history";
import { lookAgain } from "~/data/queries";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import { isFinal, wentWrong } from "~/lib/state";
import { inUrl } from "./home-range";
import { nextLook } from "./next-look";

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
  onRunMoved(lookAgain(query), OFTEN, (run) => wentWrong(run.state) || run.attempt > 1);
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
  const again = lookAgain(query);
  // A run that ends may be what another one waits for.
  onRunMoved(again, OFTEN, (run) => !isFinal(run.state) || Boolean(waiting()?.waiting.length));
  const look = () => {
    if (document.hidden) document.addEventListener("visibilitychange", look, { once: true });
    else again();
  };
  createEffect(() => {
    // After each answer, whether there is something new in it or not, and after each that did not come.
    void [query.dataUpdatedAt, query.errorUpdatedAt];
    const next = nextLook(waiting()?.waiting ?? [], Date.now() / 1000);
    const timer = next === undefined ? undefined : setTimeout(look, next * 1000);
    onCleanup(() => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    });
  });
  return { query, waiting };
}
