/** Runs to choose from, by a part of their names. */

import { keepPreviousData, useQuery } from "@tanstack/solid-query";
import type { Accessor } from "solid-js";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import { known } from "./queries";

/** Runs that are offered at once. */
const MOST = 30;

/** The newest runs with `text` in their names; of one flow, or of all where it is "". */
export function useRunChoices(flow: Accessor<string>, text: Accessor<string>, wanted: Accessor<boolean>) {
  const query = useQuery(() => ({
    queryKey: ["run choices", flow(), text().trim()],
    enabled: wanted(),
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/flow-runs", {
          params: { query: { flow: flow() || undefined, text: text().trim() || undefined, limit: MOST } },
          signal,
        }),
      ),
  }));
  return { query, runs: (): Shapes["RunShape"][] => known(query)?.runs ?? [] };
}
