/** The other runs that are laid over the one whose page it is. */

import { useQuery } from "@tanstack/solid-query";
import { mapArray } from "solid-js";
import type { Accessor } from "solid-js";
import { createMetrics } from "~/data/metrics";
import type { RunMetrics } from "~/data/metrics";
import { known } from "~/data/queries";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";

export interface Other {
  id: string;
  run: Accessor<Shapes["FullRunShape"] | undefined>;
  metrics: RunMetrics;
  error: Accessor<Error | null>;
  again: () => void;
}

/** Read each of them. The stream does not tell of them: one that still runs is as it was when it was read. */
export function createOthers(ids: Accessor<readonly string[]>): Accessor<Other[]> {
  return mapArray(ids, (id): Other => {
    const query = useQuery(() => ({
      queryKey: ["run", id],
      queryFn: ({ signal }) => answered(api.GET("/api/flow-runs/{run}", { params: { path: { run: id } }, signal })),
    }));
    const metrics = createMetrics(() => id);
    return {
      id,
      run: () => known(query),
      metrics,
      error: () => query.error ?? metrics.error(),
      again: () => {
        void query.refetch();
        metrics.again();
      },
    };
  });
}
