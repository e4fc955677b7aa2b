import { useInfiniteQuery } from "@tanstack/solid-query";
import type { Accessor } from "solid-js";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";

export type Entry = Shapes["AuditShape"];

export interface AuditFilter {
  who?: string;
  action?: string;
  subject?: string;
}

const PAGE = 200;

export function useAudit(filter: Accessor<AuditFilter>) {
  return useInfiniteQuery(() => ({
    queryKey: ["audit", filter()],
    queryFn: ({ pageParam, signal }) =>
      answered(api.GET("/api/audit", { params: { query: { ...filter(), before: pageParam, limit: PAGE } }, signal })),
    initialPageParam: 0,
    getNextPageParam: (page) => (page.length === PAGE ? page.at(-1)!.seq : undefined),
  }));
}
