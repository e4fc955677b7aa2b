import { useQuery, useQueryClient } from "@tanstack/solid-query";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import type { Role } from "./roles";

export type User = Shapes["UserShape"];

const KEY = ["users"];

const UNCHANGED = { role: null, password: null, disabled: null };

export function useUsers() {
  const client = useQueryClient();
  const again = () => client.invalidateQueries({ queryKey: KEY });
  const query = useQuery(() => ({
    queryKey: KEY,
    queryFn: ({ signal }) => answered(api.GET("/api/users", { signal })),
  }));
  return {
    query,
    add: (user: { name: string; role: Role; password: string }) =>
      answered(api.POST("/api/users", { body: user })).finally(again),
    change: (name: string, change: { role?: Role; password?: string; disabled?: boolean }) =>
      answered(
        api.PATCH("/api/users/{name}", { params: { path: { name } }, body: { ...UNCHANGED, ...change } }),
      ).finally(again),
    remove: (name: string) => answered(api.DELETE("/api/users/{name}", { params: { path: { name } } })).finally(again),
  };
}
