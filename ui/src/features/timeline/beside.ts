/** What belongs to the timeline beside the task runs: earlier attempts, subflow runs, attempts of the run; live. */

import { useQuery } from "@tanstack/solid-query";
import { createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";
import { lookAgain } from "~/data/queries";
import type { RunData } from "~/data/run";
import type { TaskRow } from "~/data/tasks";
import { NOTHING_TRIED } from "~/graph/timeline/model";
import type { AllTried, Piece } from "~/graph/timeline/model";
import { live } from "~/lib/live";
import { MOST_FLOWS, pieceOfFlow, readFlows, readRunAttempts, readTried } from "./api";

/** Milliseconds between two readings of the attempts, at least; and how much longer than reading takes. */
const LEAST_PAUSE = 700;
const PAUSE_FACTOR = 15;

/** Grows with each attempt that is over: whether there is something to read. */
export function triesOf(rows: readonly TaskRow[]): number {
  let tries = 0;
  for (const row of rows) tries += row.attempt - 1 + Number(row.state === "SCHEDULED" && row.started > 0);
  return tries;
}

/** The earlier attempts of all task runs. They are read whole, and the more rarely the longer that takes. */
export function createTried(data: RunData): () => AllTried {
  const [tried, setTried] = createSignal<AllTried>(NOTHING_TRIED);
  const tries = createMemo(() => {
    data.tasks().version();
    return triesOf(data.tasks().rows());
  });
  let known = 0;
  let pause = 0;
  let readAt = -Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let reading: AbortController | undefined;
  let isGone = false;
  const read = async () => {
    const [wanted, began] = [tries(), performance.now()];
    const { signal } = (reading = new AbortController());
    try {
      setTried(await readTried(data.id(), signal));
      known = wanted;
    } catch {
      // Shown without them; asked again with the next change, and not before.
      if (!signal.aborted) known = wanted;
    }
    reading = undefined;
    readAt = performance.now();
    pause = Math.max(LEAST_PAUSE, PAUSE_FACTOR * (readAt - began));
    soon();
  };
  const soon = () => {
    if (isGone || tries() === known || reading) return;
    clearTimeout(timer);
    timer = setTimeout(() => void read(), Math.max(0, readAt + pause - performance.now()));
  };
  createEffect(on([tries, data.tasksRead], soon));
  createEffect(
    on(data.id, () => {
      reading?.abort();
      known = 0;
      setTried(NOTHING_TRIED);
    }),
  );
  live.hear("reset", () => {
    reading?.abort();
    known = -1;
    soon();
  });
  onCleanup(() => {
    isGone = true;
    clearTimeout(timer);
    reading?.abort();
  });
  return tried;
}

/** The subflow runs below a run, and whether there are more than are shown. */
export function createFlows(data: RunData): { flows: () => Piece[]; areCut: () => boolean } {
  const query = useQuery(() => ({
    queryKey: ["run", data.id(), "subflows"],
    queryFn: ({ signal }) => readFlows(data.id(), signal),
  }));
  const again = lookAgain(query);
  const [heard, setHeard] = createSignal<ReadonlyMap<string, Piece>>(new Map());
  createEffect(on(data.id, () => setHeard(new Map()), { defer: true }));
  live.hear("flow-runs", (items) => {
    const news = items.filter((one) => one.parent && one.root === data.run()?.root);
    if (news.length) setHeard((all) => new Map([...all, ...news.map((one) => [one.id, pieceOfFlow(one)] as const)]));
  });
  live.hear("reset", () => {
    setHeard(new Map());
    again();
  });
  const flows = createMemo(() => {
    const all = new Map((query.data ?? []).map((piece) => [piece.id, piece]));
    for (const [id, piece] of heard()) if (all.has(id) || all.size < MOST_FLOWS) all.set(id, piece);
    return below(data.id(), [...all.values()]);
  });
  return { flows, areCut: () => (query.data?.length ?? 0) >= MOST_FLOWS };
}

/** Those that lie below a run: what is asked for is told of the outermost one. */
export function below(run: string, flows: readonly Piece[]): Piece[] {
  const within = new Set([run]);
  // They come in the order in which they were made: a caller before what it calls.
  return flows.filter((flow) => within.has(flow.run) && within.add(flow.id));
}

/** When each attempt of the run began. */
export function createRunAttempts(data: RunData) {
  const query = useQuery(() => ({
    queryKey: ["run", data.id(), "attempts", data.run()?.attempt, Boolean(data.run()?.started)],
    enabled: (data.run()?.attempt ?? 1) > 1,
    queryFn: ({ signal }) => readRunAttempts(data.id(), signal),
  }));
  const again = lookAgain(query);
  live.hear("reset", () => (data.run()?.attempt ?? 1) > 1 && again());
  return () => query.data ?? [];
}
