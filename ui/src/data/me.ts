/** Who looks, and what they may do. */

import { useQuery } from "@tanstack/solid-query";
import { answered, api } from "~/lib/http";

export type Permission = "read" | "operate" | "record" | "admin";

export function useMe() {
  const query = useQuery(() => ({
    queryKey: ["me"],
    queryFn: ({ signal }) => answered(api.GET("/api/me", { signal })),
    staleTime: 60_000,
  }));
  return {
    query,
    /** Whether they may; until that is known they may not. */
    may: (permission: Permission) => query.data?.permissions.includes(permission) ?? false,
  };
}
