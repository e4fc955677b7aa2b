/** The artifacts of a run, live, and what is in one of them. */

import { useQuery } from "@tanstack/solid-query";
import { createEffect, createSignal, on, onCleanup } from "solid-js";
import type { Accessor } from "solid-js";
import { parseExact } from "~/lib/exact-json";
import { answered, api } from "~/lib/http";
import { live } from "~/lib/live";
import { SMALL, isLeftOut, withNews } from "./artifact-kinds";
import type { Artifact } from "./artifact-kinds";
import { known } from "./queries";

/** Artifacts of one request. */
const PAGE = 200;

/** Read the artifacts of a run, page by page; those with much in them without it. */
export async function readArtifacts(
  run: string,
  signal: AbortSignal,
  onPage: (artifacts: Artifact[]) => void,
): Promise<void> {
  let after = "";
  do {
    const page = await answered(
      api.GET("/api/flow-runs/{run}/artifacts", {
        params: { path: { run }, query: { after, limit: PAGE, most: SMALL } },
        signal,
      }),
    );
    onPage(page.artifacts as Artifact[]);
    after = page.next;
  } while (after);
}

export interface RunArtifacts {
  /** In the order in which they were made. */
  all: Accessor<readonly Artifact[]>;
  isRead: Accessor<boolean>;
  error: Accessor<Error | null>;
  again: () => void;
}

/**
 * The artifacts of a run, while the component that calls this is there.
 *
 * @param belongs Whether what the stream tells of a flow run is told of this one; not given where the stream follows
 * another run.
 */
export function createArtifacts(run: Accessor<string>, belongs?: (flowRun: string) => boolean): RunArtifacts {
  const [all, setAll] = createSignal<readonly Artifact[]>([]);
  const [isRead, setIsRead] = createSignal(false);
  const [error, setError] = createSignal<Error | null>(null);
  const [round, setRound] = createSignal(0);
  const take = (news: readonly Artifact[]) => news.length && setAll((before) => withNews(before, news));
  createEffect(
    on([run, round], ([id]) => {
      const reading = new AbortController();
      onCleanup(() => reading.abort());
      setAll([]);
      setIsRead(false);
      setError(null);
      readArtifacts(id, reading.signal, take).then(
        () => setIsRead(true),
        (problem: Error) => reading.signal.aborted || setError(problem),
      );
    }),
  );
  const again = () => setRound((n) => n + 1);
  if (belongs) {
    live.hear("artifacts", (items) => take((items as Artifact[]).filter((item) => belongs(item.run))));
    live.hear("reset", again);
  }
  return { all, isRead, error, again };
}

/** What is in an artifact as it is now; it is read where it was not told beside others, and numbers keep their digits. */
export function useArtifactData(artifact: Accessor<Artifact>) {
  const isTold = () => !isLeftOut(artifact()) && artifact().kind !== "table";
  const query = useQuery(() => ({
    queryKey: ["artifact", artifact().id, artifact().updated],
    enabled: !isTold(),
    staleTime: Infinity,
    queryFn: async ({ signal }) => {
      const text = await answered(
        api.GET("/api/artifacts/{artifact}", {
          params: { path: { artifact: artifact().id } },
          parseAs: "text",
          signal,
        }),
      );
      return { data: (parseExact(text as unknown as string) as Artifact).data };
    },
  }));
  return {
    /** `undefined` until it is read. */
    data: (): { data: unknown } | undefined => (isTold() ? { data: artifact().data } : known(query)),
    error: () => (isTold() ? null : query.error),
    again: () => void query.refetch(),
  };
}
