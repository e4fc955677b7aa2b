/** The list of flows, page by page, kept up to date by the live stream. */

import { keepPreviousData, useInfiniteQuery } from "@tanstack/solid-query";
import { createEffect, createMemo, createSignal } from "solid-js";
import type { Accessor } from "solid-js";
import { answered, api } from "~/lib/http";
import { live } from "~/lib/live";
import { throttled } from "~/lib/throttled";
import { NEWEST, withRuns } from "./flow-list";
import type { Flow } from "./flow-list";
import { known, lookAgain } from "./queries";
import { newer } from "./run-list";
import type { Run } from "./run-list";

/** Flows of one page. */
const PAGE = 100;
/** The most flows that are put into another order than that of their names: for that, all have to be here. */
export const MOST_SORTED = 2_000;
/** Milliseconds between two readings, however much happens: what is heard of runs is shown before that. */
const OFTEN = 2_000;

/** Flows by name; all of them, where `all` says that all are wanted. */
export function useFlows(text: Accessor<string>, all: Accessor<boolean>) {
  /** What was heard of runs, and when: a reading that began later has it. */
  const [heard, setHeard] = createSignal<ReadonlyMap<string, { run: Run; at: number }>>(new Map());
  let began = 0;
  const query = useInfiniteQuery(() => ({
    queryKey: ["flows", text()],
    queryFn: async ({ pageParam, signal }) => {
      if (!pageParam) {
        await live.ready();
        began = performance.now();
      }
      return answered(
        api.GET("/api/flows", {
          params: { query: { text: text(), after: pageParam, limit: PAGE, newest: NEWEST } },
          signal,
        }),
      );
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next || undefined,
    placeholderData: keepPreviousData,
  }));
  const read = createMemo(() => known(query)?.pages.flatMap((page) => page.flows as unknown as readonly Flow[]) ?? []);
  const names = createMemo(() => new Set(read().map((flow) => flow.name)));
  createEffect(() => {
    read();
    setHeard((all) => new Map([...all].filter(([, one]) => one.at > began)));
  });
  createEffect(() => {
    if (all() && query.hasNextPage && !query.isFetching && !query.isError && read().length < MOST_SORTED)
      void query.fetchNextPage();
  });

  const readAgain = throttled(lookAgain(query), OFTEN);
  const stands = new Map<string, string>();
  live.hear("flow-runs", (items) => {
    const roots = items.filter((run) => !run.parent);
    if (!roots.length) return;
    const at = performance.now();
    setHeard((all) => {
      const now = new Map(all);
      for (const run of roots) now.set(run.id, { run: newer(run, all.get(run.id)?.run), at });
      return now;
    });
    // News of a run's tasks change nothing here.
    let moved = false;
    for (const run of roots) {
      moved ||= stands.get(run.id) !== run.state || !names().has(run.flow);
      stands.set(run.id, run.state);
    }
    if (stands.size > 5_000) stands.clear();
    if (moved) readAgain();
  });
  live.hear("deleted", readAgain);
  live.hear("reset", () => {
    setHeard(new Map());
    stands.clear();
    readAgain();
  });
  return {
    query,
    flows: createMemo(() =>
      withRuns(
        read(),
        [...heard().values()].map(({ run }) => run).sort((a, b) => (a.id < b.id ? -1 : 1)),
      ),
    ),
    /** Whether there are more flows than these. */
    more: () => query.hasNextPage,
  };
}
