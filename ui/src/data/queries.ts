/** How what was asked of the server is kept for a while. */

import { QueryClient } from "@tanstack/solid-query";
import { Problem } from "~/lib/http";

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
