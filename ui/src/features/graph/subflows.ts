/** The subflow runs below an outermost run, live. */

import { createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";
import type { Accessor } from "solid-js";
import type { Run } from "~/data/runs";
import { newer } from "~/data/runs";
import type { Call } from "~/graph/dag/tally";
import { answered, api } from "~/lib/http";
import { live } from "~/lib/live";
import { secondsOf } from "~/lib/times";

/** Beyond so many, the states that the graph tells are shown. */
const MOST = 2_000;
const PAGE = 200;

export interface SubflowRow extends Call {
  name: string;
  parent: string;
}

/** The subflow runs of an outermost run in the order of their ids, once there are any. */
export function createSubflows(root: Accessor<string>, told: Accessor<number>) {
  const [read, setRead] = createSignal<{ root: string; runs: readonly Run[] }>({ root: "", runs: [] });
  /** What was told since the stream began or began anew, of which something may be newer than what was read. */
  const [heard, setHeard] = createSignal<ReadonlyMap<string, Run>>(new Map());
  const [round, setRound] = createSignal(0);
  const isWanted = createMemo(() => told() > 0 && told() <= MOST);
  createEffect(on(root, () => setHeard(new Map()), { defer: true }));
  createEffect(
    on([root, isWanted, round], ([root, wanted]) => {
      if (!root || !wanted) return;
      const reading = new AbortController();
      onCleanup(() => reading.abort());
      void readAll(root, reading.signal).then(
        (runs) => reading.signal.aborted || setRead({ root, runs }),
        () => undefined,
      );
    }),
  );
  live.hear("flow-runs", (items) => {
    const own = items.filter((run) => run.parent && run.root === root());
    if (!own.length) return;
    setHeard((all) => {
      const now = new Map(all);
      for (const run of own) now.set(run.id, newer(run, now.get(run.id)));
      return now;
    });
  });
  live.hear("reset", () => {
    setHeard(new Map());
    setRound((n) => n + 1);
  });
  const isRead = () => read().root === root() && root() !== "";
  const runs = createMemo((): ReadonlyMap<string, Run> => {
    const all = new Map((isRead() ? read().runs : []).map((run) => [run.id, run]));
    for (const run of heard().values()) all.set(run.id, newer(run, all.get(run.id)));
    return all;
  });
  return {
    rows: createMemo((): SubflowRow[] => [...runs().values()].sort((a, b) => (a.id < b.id ? -1 : 1)).map(rowOf)),
    count: () => runs().size,
    isRead,
  };
}

async function readAll(root: string, signal: AbortSignal): Promise<Run[]> {
  const all: Run[] = [];
  for (let after = ""; ;) {
    const page = await answered(
      api.GET("/api/flow-runs/{run}/subflows", {
        params: { path: { run: root }, query: { after, limit: PAGE } as never },
        signal,
      }),
    );
    all.push(...page.runs);
    if (!page.next || all.length >= MOST) return all;
    after = page.next;
  }
}

function rowOf(run: Run): SubflowRow {
  return {
    id: run.id,
    name: run.name,
    parent: run.parent ?? "",
    state: run.state,
    stateName: run.state_name,
    started: secondsOf(run.started),
    ended: secondsOf(run.ended),
  };
}
