/** How many runs were made when, and what became of them: kept up to date by the live stream. */

import { keepPreviousData, useQuery } from "@tanstack/solid-query";
import { createMemo } from "solid-js";
import type { Accessor } from "solid-js";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import { throttled } from "~/lib/throttled";
import { live } from "~/lib/live";
import { utc } from "~/lib/times";
import { slotsOf } from "./history-slots";
import type { Slot, Unit } from "./history-slots";
import { lookAgain } from "./queries";

export { unitFor } from "./history-slots";
export type { Slot, Unit } from "./history-slots";

export interface HistoryWanted {
  /** Unix seconds. */
  from: number;
  to: number;
  unit: Unit;
  /** Only runs of this flow. */
  flow?: string;
}

/** Milliseconds between two questions, however much happens. */
const OFTEN = 1_000;
/** The server's bound for hours in one answer. Beyond it days are asked for, which are those of UTC. */
const MOST_HOURS = 750;

/** Slots from one time to another, without gaps; `[]` until they are read. What is past and done need not be live. */
export function useHistory(wanted: Accessor<HistoryWanted | undefined>, options: { live?: boolean } = {}) {
  const query = useQuery(() => {
    const asked = wanted();
    const since = utc(Math.max(0, asked?.from ?? 0));
    const until = utc(asked?.to ?? 0);
    const bucket = asked && asked.to - asked.from > MOST_HOURS * 3600 ? ("day" as const) : ("hour" as const);
    return {
      queryKey: ["history", asked?.flow ?? "", since, until],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        answered(
          api.GET("/api/history", { params: { query: { since, until, bucket, flow: asked?.flow ?? "" } }, signal }),
        ),
      enabled: asked !== undefined,
      placeholderData: keepPreviousData,
    };
  });
  if (options.live ?? true) {
    const again = lookAgain(query);
    onRunMoved(
      () => wanted() && again(),
      OFTEN,
      (run) => !wanted()?.flow || run.flow === wanted()?.flow,
    );
  }
  return {
    query,
    /** Whether it is of what is wanted now, and not of what was wanted before. */
    isRead: () => !query.isPending && !query.isPlaceholderData && query.data !== undefined,
    slots: createMemo((): Slot[] => {
      const asked = wanted();
      const answer = query.isPending ? undefined : query.data;
      return asked && answer ? slotsOf(answer.buckets, asked.from, asked.to, asked.unit) : [];
    }),
  };
}

/** Runs of which it is known where they stand, so that news of their tasks are not taken for news of them. */
const MOST_KNOWN = 2_000;

/**
 * Call `then` when an outermost run is new, has another state or was deleted, at most once in `period` milliseconds. Runs
 * that `which` does not name are left out.
 */
export function onRunMoved(
  then: () => void,
  period: number,
  which: (run: Shapes["RunShape"]) => boolean = () => true,
): void {
  const call = throttled(then, period);
  const known = new Map<string, string>();
  live.hear("flow-runs", (items) => {
    let moved = false;
    for (const run of items) {
      const stands = `${run.state} ${run.state_name} ${run.attempt}`;
      if (run.parent || known.get(run.id) === stands) continue;
      if (known.size >= MOST_KNOWN) known.clear();
      known.set(run.id, stands);
      moved ||= which(run);
    }
    if (moved) call();
  });
  live.hear("deleted", call);
  live.hear("reset", call);
}
