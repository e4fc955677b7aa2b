/** One key over all runs: when it was made, and what changed from one time to another. */

import { A } from "@solidjs/router";
import { useInfiniteQuery } from "@tanstack/solid-query";
import { Show, createMemo } from "solid-js";
import { Button } from "~/components/button";
import { Empty, ErrorNote, Loading } from "~/components/notice";
import { ProgressBar } from "~/components/progress-bar";
import { TextDiff } from "~/components/text-diff";
import { Time } from "~/components/time";
import { VirtualTable } from "~/components/virtual-table";
import type { Column } from "~/components/virtual-table";
import { SMALL, artifactText, kindLook, progressOf } from "~/data/artifact-kinds";
import type { Artifact } from "~/data/artifact-kinds";
import { useArtifactData } from "~/data/artifacts";
import { known } from "~/data/queries";
import { answered, api } from "~/lib/http";
import { bytes } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import styles from "./artifacts.module.css";

const PAGE = 200;

export function ArtifactHistory(props: { artifact: Artifact }) {
  const search = useSearch();
  const query = useInfiniteQuery(() => ({
    queryKey: ["artifact history", props.artifact.key],
    queryFn: ({ pageParam, signal }) =>
      answered(
        api.GET("/api/artifacts", {
          params: { query: { key: props.artifact.key, after: pageParam, limit: PAGE, most: SMALL } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next || undefined,
  }));
  const all = createMemo(() => ((known(query)?.pages ?? []).flatMap((page) => page.artifacts) as Artifact[]).reverse());
  const other = () => all().find((one) => one.id === search.one("with"));
  const columns = createMemo((): Column<Artifact>[] => [
    {
      key: "made",
      title: "Made",
      width: "minmax(130px, 1fr)",
      cell: (row) => <Time at={row.created} exact />,
    },
    {
      key: "run",
      title: "Run",
      width: "minmax(110px, 1fr)",
      cell: (row) => (
        <A class="cut mono" href={paths.run(row.run, "artifacts", { artifact: row.id })} title={row.run}>
          {row.id === props.artifact.id ? "this one" : `…${row.run.slice(-12)}`}
        </A>
      ),
    },
    {
      key: "what",
      title: "What",
      width: "minmax(90px, 1fr)",
      cell: (row) => (
        <Show when={row.kind === "progress"} fallback={<span>{kindLook(row.kind).label}</span>}>
          <ProgressBar value={progressOf(row.data)} label="Progress" />
        </Show>
      ),
    },
    {
      key: "size",
      title: "Size",
      width: "70px",
      right: true,
      wideOnly: true,
      cell: (row) => <span class="number">{bytes(row.size_bytes)}</span>,
    },
    {
      key: "changes",
      title: "Changes",
      width: "96px",
      cell: (row) => (
        <Show when={row.id !== props.artifact.id}>
          <Button
            kind="quiet"
            aria-pressed={row.id === search.one("with")}
            onClick={() => search.set({ with: row.id === search.one("with") ? undefined : row.id })}
          >
            Compare
          </Button>
        </Show>
      ),
    },
  ]);
  return (
    <Show
      when={known(query)}
      fallback={
        <Show when={query.error} fallback={<Loading what="its history" />}>
          {(error) => <ErrorNote error={error()} retry={() => query.refetch()} />}
        </Show>
      }
    >
      <div class={styles.history} style={{ height: `${Math.min(12, all().length) * 34 + 40}px` }}>
        <VirtualTable
          label={`${props.artifact.key} over runs`}
          rows={all()}
          columns={columns()}
          rowKey={(row) => row.id}
          isSelected={(row) => row.id === props.artifact.id}
          empty={<Empty title="Nothing was made under this key." />}
        />
      </div>
      <Show when={query.hasNextPage}>
        <p class={styles.note}>
          These are the first {all().length} that were made.
          <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Read later ones
          </Button>
        </p>
      </Show>
      <Show when={other()} keyed>
        {(other) => <Changes before={other} after={props.artifact} />}
      </Show>
    </Show>
  );
}

/** From the one made earlier to the one made later. */
function Changes(props: { before: Artifact; after: Artifact }) {
  const inOrder = () => [props.before, props.after].sort((a, b) => (a.id < b.id ? -1 : 1));
  const [old, fresh] = [() => inOrder()[0]!, () => inOrder()[1]!];
  const before = useArtifactData(old);
  const after = useArtifactData(fresh);
  return (
    <section class={styles.changes} aria-label="Changes">
      <h3>
        From <Time at={old().created} exact /> to <Time at={fresh().created} exact />
      </h3>
      <Show
        when={before.data() && after.data()}
        fallback={
          <Show when={before.error() ?? after.error()} fallback={<Loading />}>
            {(error) => <ErrorNote error={error()} />}
          </Show>
        }
      >
        <TextDiff
          label="Changes"
          before={artifactText(old().kind, before.data()!.data)}
          after={artifactText(fresh().kind, after.data()!.data)}
        />
      </Show>
    </section>
  );
}
