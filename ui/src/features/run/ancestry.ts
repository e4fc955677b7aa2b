/** The flow runs that a run lies in, from the outermost one down. */

import { useQuery } from "@tanstack/solid-query";
import { createMemo, createSignal } from "solid-js";
import type { Accessor } from "solid-js";
import { known, lookAgain } from "~/data/queries";
import type { FullRun } from "~/data/run";
import { newer } from "~/data/runs";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import { live } from "~/lib/live";

/** Levels that are looked up, so that nothing goes round for ever. */
const DEEPEST = 30;

export interface Ancestry {
  /** Empty for an outermost run, and until it is known. */
  above: Accessor<readonly FullRun[]>;
  /** The outermost run, which is the run itself for most. */
  root: Accessor<FullRun | undefined>;
}

export function useAncestry(run: Accessor<FullRun>): Ancestry {
  const query = useQuery(() => ({
    queryKey: ["above", run().id],
    queryFn: ({ signal }) => lineOf(run().parent, signal),
    enabled: run().parent !== null,
  }));
  const again = lookAgain(query);
  const [heard, setHeard] = createSignal<Shapes["RunShape"]>();
  live.hear("flow-runs", (items) => {
    const item = items.findLast((one) => one.id === run().root);
    if (!item || run().parent === null) return;
    const before = root();
    setHeard((told) => (told?.id === item.id ? newer(told, item) : item));
    // Whether a process has it comes with the run in full alone.
    if (before && before.state !== item.state) again();
  });
  live.hear("reset", () => {
    setHeard(undefined);
    if (run().parent !== null) again();
  });
  const above = createMemo(() => (run().parent === null ? [] : (known(query) ?? [])));
  const root = createMemo((): FullRun | undefined => {
    if (run().parent === null) return run();
    const [read, told] = [above()[0], heard()];
    return read && told?.id === read.id && told.change > read.change ? { ...read, ...told } : read;
  });
  return { above, root };
}

async function lineOf(parent: string | null, signal: AbortSignal): Promise<FullRun[]> {
  const line: FullRun[] = [];
  for (let id = parent; id !== null && line.length < DEEPEST; id = line[0]!.parent) {
    line.unshift(await answered(api.GET("/api/flow-runs/{run}", { params: { path: { run: id } }, signal })));
  }
  return line;
}
