import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/solid-query";
import type { Accessor } from "solid-js";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import type { Rule } from "./rules";

export type CacheEntry = Shapes["CacheEntryShape"];
export type Variable = Shapes["VariableShape"];
export type Limit = Shapes["LimitUse"];

function useAgain(key: string) {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: [key] });
}

export function useRules() {
  const again = useAgain("retention");
  const query = useQuery(() => ({
    queryKey: ["retention"],
    queryFn: ({ signal }) => answered(api.GET("/api/retention/rules", { signal })),
  }));
  return {
    query,
    set: (rule: Rule) => answered(api.PUT("/api/retention/rules", { body: rule as never })).finally(again),
    remove: (rule: Rule) =>
      answered(
        api.DELETE("/api/retention/rules", {
          params: { query: { flow: rule.flow, ...(rule.state ? { state: rule.state as never } : {}) } },
        }),
      ).finally(again),
  };
}

/** Counted when it is asked for, and not before: all records of the store are looked at. */
export function useSizes(wanted: Accessor<boolean>) {
  return useQuery(() => ({
    queryKey: ["sizes"],
    enabled: wanted(),
    staleTime: Infinity,
    queryFn: ({ signal }) => answered(api.GET("/api/retention/sizes", { signal })),
  }));
}

export function useCacheEntries(task: Accessor<string>) {
  const again = useAgain("cache");
  const query = useInfiniteQuery(() => ({
    queryKey: ["cache", task()],
    queryFn: ({ pageParam, signal }) =>
      answered(api.GET("/api/cache", { params: { query: { task: task(), before: pageParam, limit: 200 } }, signal })),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next || undefined,
  }));
  return {
    query,
    remove: (what: { key?: string[]; task?: string; expired?: boolean; all?: boolean }) =>
      answered(api.DELETE("/api/cache", { params: { query: what } })).finally(again),
  };
}

export function useVariables() {
  const again = useAgain("variables");
  const query = useInfiniteQuery(() => ({
    queryKey: ["variables"],
    queryFn: ({ pageParam, signal }) =>
      answered(api.GET("/api/variables", { params: { query: { after: pageParam, limit: 200 } }, signal })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next || undefined,
  }));
  return {
    query,
    set: (name: string, value: unknown, tags: string[]) =>
      answered(
        api.PUT("/api/variables/{name}", { params: { path: { name } }, body: { value: value as never, tags } }),
      ).finally(again),
    remove: (name: string) =>
      answered(api.DELETE("/api/variables/{name}", { params: { path: { name } } })).finally(again),
  };
}

export function useLimits() {
  const again = useAgain("limits");
  const query = useQuery(() => ({
    queryKey: ["limits"],
    queryFn: ({ signal }) => answered(api.GET("/api/concurrency-limits", { signal })),
  }));
  return {
    query,
    set: (name: string, slots: number, decay: number) =>
      answered(
        api.PUT("/api/concurrency-limits/{name}", { params: { path: { name } }, body: { slots, decay } }),
      ).finally(again),
    remove: (name: string) =>
      answered(api.DELETE("/api/concurrency-limits/{name}", { params: { path: { name } } })).finally(again),
  };
}
