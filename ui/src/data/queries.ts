/** How what was asked of the server is kept for a while. */

import { QueryClient } from "@tanstack/solid-query";
import { getOwner, onCleanup } from "solid-js";
import { Problem } from "~/lib/http";
import { live } from "~/lib/live";
import type { Live } from "~/lib/live";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      gcTime: 120_000,
      networkMode: "always",
      retry: (failures, error) =>
        failures < 2 && !(error instanceof Problem && error.status >= 400 && error.status < 500),
      retryDelay: (failures) => Math.min(500 * 2 ** failures, 4_000),
    },
    mutations: { networkMode: "always" },
  },
});

/**
 * The data of a query, or `undefined` until it is there. Reading `query.data` itself before that takes away all that
 * stands within the nearest `Suspense`.
 */
export function known<T>(query: { isPending: boolean; data: T | undefined }): T | undefined {
  return query.isPending ? undefined : query.data;
}

interface Readable {
  readonly isFetching: boolean;
  refetch: (how: { cancelRefetch: boolean }) => Promise<unknown>;
}

/**
 * A function that reads a query anew. What is on its way already may be older than what made one call it: then it is
 * read once more after that, however often it was called meanwhile. So answers come in order, and the last one counts.
 */
export function lookAgain(query: Readable): () => void {
  let isLooking = false;
  let isMissed = false;
  let isGone = false;
  if (getOwner()) onCleanup(() => (isGone = true));
  const read = () => query.refetch({ cancelRefetch: false });
  const readOn = async (): Promise<void> => {
    isMissed = false;
    if (!isGone) await read();
    if (isMissed && !isGone) await readOn();
  };
  const look = async () => {
    isLooking = true;
    if (query.isFetching) await read();
    await readOn();
    isLooking = false;
  };
  return () => {
    if (isLooking) isMissed = true;
    else void look();
  };
}

/** Let go of what is kept for views that are closed, when the stream says that what was read does not count any more. */
export function forgetOnReset(client: QueryClient = queryClient, stream: Live = live): void {
  stream.hear("reset", () => client.removeQueries({ predicate: (query) => query.getObserversCount() === 0 }));
}
