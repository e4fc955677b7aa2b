/** What is asked of a run, and what it asks of people. */

import { useQuery, useQueryClient } from "@tanstack/solid-query";
import { createSignal } from "solid-js";
import type { Accessor } from "solid-js";
import { lookAgain } from "~/data/queries";
import type { FullRun } from "~/data/run";
import { answered, api } from "~/lib/http";
import type { Shapes, onceKey } from "~/lib/http";
import { live } from "~/lib/live";
import { throttled } from "~/lib/throttled";
import { Once } from "./once";

export type Pause = Shapes["PauseShape"];

/** Milliseconds between two readings of what a run asks, however much happens below it. */
const OFTEN = 500;
/** Runs of which it is known how they are, so that news of their tasks are not taken for news of them. */
const MOST_KNOWN = 2_000;

/** What a run asks of people, and what it was answered; read anew when a run below it changed its state. */
export function usePauses(run: Accessor<FullRun>) {
  const query = useQuery(() => ({
    queryKey: ["pauses", run().id],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/flow-runs/{run}/pauses", { params: { path: { run: run().id } }, signal })),
  }));
  const again = throttled(lookAgain(query), OFTEN);
  const states = new Map<string, string>();
  live.hear("flow-runs", (items) => {
    let changed = false;
    for (const item of items) {
      const now = `${item.state} ${item.state_name} ${item.attempt}`;
      if (states.get(item.id) === now) continue;
      changed = true;
      if (states.size >= MOST_KNOWN) states.clear();
      states.set(item.id, now);
    }
    if (changed) again();
  });
  live.hear("reset", again);
  return query;
}

export interface StartAgain {
  /** `null` for what the run was given, as it was kept. */
  parameters: Record<string, unknown> | null;
  name: string;
}

/** What is done to runs. `busy` says that a request is on its way; each of them throws what the server said. */
export function useRunActions() {
  const client = useQueryClient();
  const [busy, setBusy] = createSignal(false);
  const once = new Once();
  const act = async <T>(
    action: string,
    run: string,
    body: unknown,
    request: (headers: ReturnType<typeof onceKey>) => Promise<T>,
  ): Promise<T> => {
    setBusy(true);
    try {
      return await once.ask([action, run, body], request);
    } finally {
      setBusy(false);
      void client.invalidateQueries({ queryKey: ["run", run] });
      void client.invalidateQueries({ queryKey: ["pauses"] });
      void client.invalidateQueries({ queryKey: ["why"] });
      void client.invalidateQueries({ queryKey: ["above"] });
    }
  };
  const path = (run: string) => ({ path: { run } });
  return {
    busy,
    cancel: (run: string, body: Shapes["Cancel"]) =>
      act("cancel", run, body, (headers) =>
        answered(api.POST("/api/flow-runs/{run}/cancel", { params: path(run), body, headers })),
      ),
    /** @param input The answer to what is asked; left out for none. */
    resume: (run: string, ...input: [] | [unknown]) => {
      const body = input.length ? { input: input[0] } : {};
      return act("resume", run, body, (headers) =>
        answered(api.POST("/api/flow-runs/{run}/resume", { params: path(run), body, headers })),
      );
    },
    retry: (run: string, task: string) => {
      const body = { task_run: task };
      return act("retry", run, body, (headers) =>
        answered(api.POST("/api/flow-runs/{run}/retry", { params: path(run), body, headers })),
      );
    },
    startAgain: (run: FullRun, how: StartAgain) => {
      const body = {
        flow: run.flow,
        parameters: (how.parameters ?? {}) as Record<string, never>,
        again: how.parameters === null ? run.id : "",
        name: how.name,
        tags: run.tags,
      };
      return act("start again", run.id, body, (headers) => answered(api.POST("/api/flow-runs", { body, headers })));
    },
    remove: async (run: string) => {
      setBusy(true);
      try {
        await answered(api.DELETE("/api/flow-runs/{run}", { params: path(run) }));
      } finally {
        setBusy(false);
      }
    },
  };
}

export type RunActions = ReturnType<typeof useRunActions>;
