/** One task run in full, its attempts, and the last lines that it logged; live. */

import { useQuery, useQueryClient } from "@tanstack/solid-query";
import { createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";
import type { Accessor } from "solid-js";
import { known } from "~/data/queries";
import { newer } from "~/data/runs";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import { live } from "~/lib/live";
import { throttled } from "~/lib/throttled";

export type FullTask = Shapes["FullTaskShape"];
export type LogLine = Shapes["LogShape"];

export function useTask(id: Accessor<string>) {
  const client = useQueryClient();
  const path = () => ({ path: { task: id() } });
  const query = useQuery(() => ({
    queryKey: ["task", id()],
    staleTime: 0,
    queryFn: ({ signal }) => answered(api.GET("/api/task-runs/{task}", { params: path(), signal })),
  }));
  const [heard, setHeard] = createSignal<Shapes["TaskShape"]>();
  live.hear("task-runs", (items) => {
    const item = items.findLast((one) => one.id === id());
    if (item) setHeard((known) => (known?.id === item.id ? newer(known, item) : item));
  });
  const read = createMemo(() => {
    const found = known(query);
    return found?.id === id() ? found : undefined;
  });
  const task = createMemo((): FullTask | undefined => {
    const [found, told] = [read(), heard()];
    return found && told?.id === found.id && told.change > found.change ? { ...found, ...told } : found;
  });
  const attempts = useQuery(() => ({
    queryKey: ["task-attempts", id()],
    queryFn: ({ signal }) => answered(api.GET("/api/task-runs/{task}/attempts", { params: path(), signal })),
  }));
  const readAnew = () => {
    void client.invalidateQueries({ queryKey: ["task", id()] });
    void client.invalidateQueries({ queryKey: ["task-attempts", id()] });
  };
  // The traceback, and what an attempt came to, are not told by the stream.
  let asked = 0;
  createEffect(() => {
    const [full, now] = [read(), task()];
    if (!full || !now || query.isFetching || now.change <= asked) return;
    if (now.state === full.state && now.attempt === full.attempt) return;
    asked = now.change;
    readAnew();
  });
  live.hear("reset", () => {
    setHeard(undefined);
    asked = 0;
    readAnew();
  });
  return {
    task,
    error: () => (query.isError ? query.error : null),
    attempts: () => known(attempts) ?? [],
    reload: readAnew,
  };
}

/** Lines that are kept, and milliseconds between two looks for more. */
const LINES = 30;
const PERIOD = 250;

/** The last lines that a task run logged, the oldest first. They are read on whenever something is told of the run. */
export function useLastLines(id: Accessor<string>) {
  const [lines, setLines] = createSignal<readonly LogLine[]>([]);
  const [isRead, setIsRead] = createSignal(false);
  const [hasMore, setHasMore] = createSignal(false);
  const [error, setError] = createSignal<Error | null>(null);
  let after: number | undefined;
  let reading: AbortController | undefined;
  /** Whether something was told while it was read, and may have come after its last page. */
  let isMissed = false;
  const readOn = async () => {
    if (reading) {
      isMissed = true;
      return;
    }
    isMissed = false;
    const mine = new AbortController();
    reading = mine;
    try {
      let more = true;
      while (more && !mine.signal.aborted) {
        const from = after;
        const page = await answered(
          api.GET("/api/task-runs/{task}/logs", {
            params: {
              path: { task: id() },
              query: from === undefined ? { limit: LINES } : { after: from, limit: 1000 },
            },
            signal: mine.signal,
          }),
        );
        if (mine.signal.aborted) return;
        after = page.after;
        if (from === undefined) setHasMore(page.more);
        setLines((all) => {
          if (all.length + page.lines.length > LINES) setHasMore(true);
          return [...all, ...page.lines].slice(-LINES);
        });
        more = from !== undefined && page.more;
      }
      setError(null);
    } catch (problem) {
      if (!mine.signal.aborted) setError(problem as Error);
    } finally {
      if (reading === mine) {
        reading = undefined;
        setIsRead(true);
        if (isMissed) look();
      }
    }
  };
  const look = throttled(() => void readOn(), PERIOD);
  const begin = () => {
    reading?.abort();
    reading = undefined;
    after = undefined;
    setLines([]);
    setIsRead(false);
    setHasMore(false);
    void readOn();
  };
  createEffect(on(id, begin));
  live.hear("task-runs", look);
  live.hear("flow-runs", look);
  live.hear("reset", begin);
  onCleanup(() => {
    reading?.abort();
    reading = undefined;
  });
  return { lines, isRead, hasMore, error };
}
