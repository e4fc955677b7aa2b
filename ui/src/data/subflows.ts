/** The names of the flow runs below a run: what says who logged a line, or which subflow a task belongs to. */

import { useQuery } from "@tanstack/solid-query";
import { createMemo } from "solid-js";
import type { Accessor } from "solid-js";
import { answered, api } from "~/lib/http";
import { live } from "~/lib/live";
import { known, lookAgain } from "./queries";

/** Names by id; empty until it is known, and where nobody needs them. */
export function useSubflowNames(
  run: Accessor<string>,
  needed: Accessor<boolean>,
): Accessor<ReadonlyMap<string, string>> {
  const query = useQuery(() => ({
    queryKey: ["subflows", run()],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/flow-runs/{run}/subflows", { params: { path: { run: run() } }, signal })),
    enabled: needed(),
  }));
  const names = createMemo(() => new Map(known(query)?.runs.map((one) => [one.id, one.name])));
  const again = lookAgain(query);
  // A subflow that began since.
  live.hear("flow-runs", (items) => {
    const isNew = items.some((item) => item.parent !== null && !names().has(item.id));
    if (needed() && isNew) again();
  });
  live.hear("reset", () => needed() && again());
  return names;
}
