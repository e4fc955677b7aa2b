/** What is asked of a run, and what it asks of people. */

import { useQuery, useQueryClient } from "@tanstack/solid-query";
import { createSignal } from "solid-js";
import type { Accessor } from "solid-js";
import type { FullRun } from "~/data/run";
import { Problem, answered, api, onceKey } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import { live } from "~/lib/live";

export type Pause = Shapes["PauseShape"];

/** What a run asks of people, and what it was answered; read anew when a run below it changed its state. */
export function usePauses(run: Accessor<FullRun>) {
  const query = useQuery(() => ({
    queryKey: ["pauses", run().id],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/flow-runs/{run}/pauses", { params: { path: { run: run().id } }, signal })),
  }));
  const states = new Map<string, string>();
  live.hear("flow-runs", (items) => {
    let changed = false;
    for (const item of items) {
      const now = `${item.state} ${item.state_name} ${item.attempt}`;
      changed ||= states.get(item.id) !== now;
      states.set(item.id, now);
    }
    if (changed) void query.refetch();
  });
  live.hear("reset", () => void query.refetch());
  return query;
}

/** What a request is: asked again because no answer came, it is the same one. */
class Once {
  private key: { "Idempotency-Key": string } | undefined;

  async ask<T>(request: (headers: { "Idempotency-Key": string }) => Promise<T>): Promise<T> {
    this.key ??= onceKey();
    try {
      const answer = await request(this.key);
      this.key = undefined;
      return answer;
    } catch (error) {
      if (!isOpen(error)) this.key = undefined;
      throw error;
    }
  }
}

/** Whether it is not known what became of a request: no answer came, or it is still being carried out. */
function isOpen(error: unknown): boolean {
  if (!(error instanceof Problem)) return false;
  return (
    error.status === 0 || error.status >= 502 || (error.status === 409 && error.message.includes("being carried out"))
  );
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
  const act = async <T>(run: string, request: (headers: { "Idempotency-Key": string }) => Promise<T>): Promise<T> => {
    setBusy(true);
    try {
      return await once.ask(request);
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
      act(run, (headers) => answered(api.POST("/api/flow-runs/{run}/cancel", { params: path(run), body, headers }))),
    /** @param input The answer to what is asked; left out for none. */
    resume: (run: string, ...input: [] | [unknown]) =>
      act(run, (headers) =>
        answered(
          api.POST("/api/flow-runs/{run}/resume", {
            params: path(run),
            body: input.length ? { input: input[0] } : {},
            headers,
          }),
        ),
      ),
    retry: (run: string, task: string) =>
      act(run, (headers) =>
        answered(api.POST("/api/flow-runs/{run}/retry", { params: path(run), body: { task_run: task }, headers })),
      ),
    startAgain: (run: FullRun, how: StartAgain) =>
      act(run.id, (headers) =>
        answered(
          api.POST("/api/flow-runs", {
            body: {
              flow: run.flow,
              parameters: (how.parameters ?? {}) as Record<string, never>,
              again: how.parameters === null ? run.id : "",
              name: how.name,
              tags: run.tags,
            },
            headers,
          }),
        ),
      ),
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
