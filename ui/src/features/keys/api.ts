import { useQuery, useQueryClient } from "@tanstack/solid-query";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";

export type Key = Shapes["KeyShape"];
export type Scope = Shapes["Permission"];

export function useKeyList() {
  const client = useQueryClient();
  const again = () => client.invalidateQueries({ queryKey: ["keys"] });
  const query = useQuery(() => ({
    queryKey: ["keys"],
    queryFn: ({ signal }) => answered(api.GET("/api/keys", { signal })),
  }));
  return {
    query,
    make: (key: { name: string; user: string; scopes: Scope[]; lasts: number }) =>
      answered(api.POST("/api/keys", { body: key })).finally(again),
    remove: (id: string) => answered(api.DELETE("/api/keys/{id}", { params: { path: { id } } })).finally(again),
  };
}

/** Names of those a key can be for. */
export function useUserNames() {
  return useQuery(() => ({
    queryKey: ["users"],
    queryFn: ({ signal }) => answered(api.GET("/api/users", { signal })),
    select: (users) => users.map((user) => user.name),
  }));
}
