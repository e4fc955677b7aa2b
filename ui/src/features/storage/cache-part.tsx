/** Results that calls of other runs may take. */

import { A } from "@solidjs/router";
import { Show, createMemo, createSignal } from "solid-js";
import { Asking } from "~/components/asking";
import { Button } from "~/components/button";
import { Card } from "~/components/card";
import { Input } from "~/components/field";
import { Answer, Empty } from "~/components/notice";
import { ShortTable } from "~/components/short-table";
import { Time } from "~/components/time";
import { tell } from "~/components/toasts";
import { useMe } from "~/data/me";
import { bytes, plural } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { useCacheEntries } from "./api";

/** What to remove, and how that is said. */
interface Removal {
  what: { key?: string[]; task?: string; expired?: boolean; all?: boolean };
  told: string;
}

export function CachePart() {
  const search = useSearch();
  const me = useMe();
  const cache = useCacheEntries(() => search.one("task"));
  const [removing, setRemoving] = createSignal<Removal>();
  const entries = createMemo(() => cache.query.data?.pages.flatMap((page) => page.entries) ?? []);
  const everything = (): Removal =>
    search.one("task")
      ? { what: { task: search.one("task") }, told: `all entries of task ${search.one("task")}` }
      : { what: { all: true }, told: "all entries" };
  return (
    <Card
      title="Cached results"
      flush
      aside={
        <>
          <Input
            aria-label="Task"
            placeholder="Task, its exact name"
            value={search.one("task")}
            onChange={(event) => search.set({ task: event.currentTarget.value.trim() })}
          />
          <Show when={me.may("operate") && entries().length}>
            <Button onClick={() => setRemoving({ what: { expired: true }, told: "entries that have expired" })}>
              Remove expired
            </Button>
            <Button icon="trash" onClick={() => setRemoving(everything())}>
              Remove all
            </Button>
          </Show>
        </>
      }
    >
      <Answer
        query={{ data: cache.query.data, error: cache.query.error, refetch: () => cache.query.refetch() }}
        what="entries"
      >
        {() => (
          <>
            <ShortTable
              label="Cached results"
              rows={entries()}
              columns={[
                { title: "Task", cell: (entry) => <span class="told">{entry.task}</span> },
                {
                  title: "Key",
                  cell: (entry) => (
                    <code class="told">{entry.key.length > 60 ? `${entry.key.slice(0, 60)}…` : entry.key}</code>
                  ),
                },
                { title: "Size", right: true, cell: (entry) => <span class="number">{bytes(entry.size_bytes)}</span> },
                { title: "Computed", cell: (entry) => <Time at={entry.created} /> },
                {
                  title: "Expires",
                  cell: (entry) =>
                    entry.expires ? (
                      <>
                        {entry.is_fresh ? "" : "expired "}
                        <Time at={entry.expires} />
                      </>
                    ) : (
                      <span class="soft">never</span>
                    ),
                },
                {
                  title: "By",
                  cell: (entry) =>
                    entry.run && (
                      <A href={paths.run(entry.run, "tasks", { task: entry.task_run })}>{entry.name || "its run"}</A>
                    ),
                },
                {
                  title: "What can be done",
                  untitled: true,
                  right: true,
                  cell: (entry) =>
                    me.may("operate") && (
                      <Button
                        icon="trash"
                        aria-label={`Remove the entry ${entry.key}`}
                        onClick={() => setRemoving({ what: { key: [entry.key] }, told: `the entry of ${entry.task}` })}
                      >
                        Remove
                      </Button>
                    ),
                },
              ]}
              empty={
                <Empty
                  icon="storage"
                  title={search.one("task") ? "No task of this name has a result in the cache." : "The cache is empty."}
                >
                  Tasks with a cache policy keep their results here for other runs.
                </Empty>
              }
            />
            <Show when={cache.query.hasNextPage}>
              <Button
                kind="quiet"
                busy={cache.query.isFetchingNextPage}
                onClick={() => void cache.query.fetchNextPage()}
              >
                Show more
              </Button>
            </Show>
          </>
        )}
      </Answer>
      <Asking
        open={removing() !== undefined}
        title="Remove from the cache"
        action="Remove"
        isDanger
        onClose={() => setRemoving(undefined)}
        run={() =>
          cache.remove(removing()!.what).then((done) => tell(`${plural(done.removed, "entry", "entries")} removed.`))
        }
      >
        <p class="told">This removes {removing()?.told}. The next calls compute again what was there.</p>
      </Asking>
    </Card>
  );
}
