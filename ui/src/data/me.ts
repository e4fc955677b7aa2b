/** Who looks, and what they may do. */

import { useQuery } from "@tanstack/solid-query";
import { answered, api } from "~/lib/http";
import { below, paths } from "~/lib/paths";

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

/** End the session of this browser, or all that one has, and leave for the page that asks who one is. */
export async function logOut(everywhere = false): Promise<void> {
  await answered(api.POST("/api/logout", { params: { query: { everywhere } } }));
  // A new page, so that nothing of before is left in this one.
  location.replace(below(paths.login()));
}
