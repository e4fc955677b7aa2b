/** Lists of runs, kept up to date by the live stream. */

import { useInfiniteQuery } from "@tanstack/solid-query";
import { createEffect, createMemo, createSignal, on } from "solid-js";
import type { Accessor } from "solid-js";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import { live } from "~/lib/live";
import { secondsOf } from "~/lib/times";

export type Run = Shapes["RunShape"];

/** Which runs: as `GET /api/flow-runs` takes it. */
export interface RunsFilter {
  flow?: string;
  state?: string[];
  tag?: string[];
  parameter?: string[];
  since?: string;
  until?: string;
  text?: string;
  subflows?: boolean;
}

/** Runs of one page of a list. */
export const PAGE = 100;

/** Whether a run belongs to a list, as far as that can be told here: the server looks for texts and parameters. */
export function fits(run: Run, filter: RunsFilter): boolean {
  const created = secondsOf(run.created);
  return (
    (filter.subflows || !run.parent) &&
    (!filter.flow || run.flow === filter.flow) &&
    (!filter.state?.length || filter.state.includes(run.state)) &&
    (filter.tag ?? []).every((tag) => run.tags.includes(tag)) &&
    (!filter.since || created >= Date.parse(filter.since) / 1000) &&
    (!filter.until || created < Date.parse(filter.until) / 1000) &&
    (!filter.text || [run.name, run.flow].some((name) => name.toLowerCase().includes(filter.text!.toLowerCase())))
  );
}

/** `runs` with what was heard since: changed ones in their places, new ones where they belong, newest first. */
export function merged(
  runs: readonly Run[],
  heard: ReadonlyMap<string, Run>,
  deleted: ReadonlySet<string>,
  filter: RunsFilter,
): Run[] {
  const known = new Set(runs.map((run) => run.id));
  const kept = runs
    .map((run) => newer(run, heard.get(run.id)))
    .filter((run) => !deleted.has(run.id) && fits(run, filter));
  if (filter.parameter?.length) return kept; // whether a new one has been given that, only the server knows
  const fresh = [...heard.values()].filter((run) => !known.has(run.id) && !deleted.has(run.id) && fits(run, filter));
  // Ids are made in the order of time.
  return fresh.length ? [...fresh, ...kept].sort((a, b) => (a.id < b.id ? 1 : -1)) : kept;
}

/** The newer one of two answers about the same thing. */
export function newer<T extends { change: number }>(one: T, other: T | undefined): T {
  return other && other.change > one.change ? other : one;
}

/** Runs that may come to a list by themselves until it is read anew, so that nothing grows for ever. */
const MOST_HEARD = 500;

/** A list of runs, newest first, page by page and live. */
export function useRuns(filter: Accessor<RunsFilter>, options: { limit?: number } = {}) {
  const limit = options.limit ?? PAGE;
  const query = useInfiniteQuery(() => ({
    queryKey: ["runs", filter(), limit],
    queryFn: ({ pageParam, signal }) =>
      answered(
        api.GET("/api/flow-runs", { params: { query: { ...filter(), before: pageParam, limit } as never }, signal }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next || undefined,
  }));
  const read = createMemo(() => query.data?.pages.flatMap((page) => page.runs) ?? []);
  const known = createMemo(() => new Map(read().map((run) => [run.id, run])));
  const [heard, setHeard] = createSignal<ReadonlyMap<string, Run>>(new Map());
  const [deleted, setDeleted] = createSignal<ReadonlySet<string>>(new Set());
  createEffect(
    on(known, (runs) =>
      setHeard((all) => new Map([...all].filter(([id, run]) => (runs.get(id)?.change ?? -1) < run.change))),
    ),
  );
  createEffect(() => heard().size > MOST_HEARD && !query.isFetching && void query.refetch());
  live.hear("flow-runs", (items) =>
    setHeard((all) => {
      const now = new Map(all);
      for (const run of items) {
        if (known().has(run.id) || fits(run, filter())) now.set(run.id, run);
        else now.delete(run.id);
      }
      return now;
    }),
  );
  live.hear("deleted", (ids) => setDeleted((all) => new Set([...all, ...ids])));
  live.hear("reset", () => void query.refetch());
  return {
    query,
    /** Once what there is was read; `[]` before. */
    runs: createMemo(() => (query.data ? merged(read(), heard(), deleted(), filter()) : [])),
  };
}
