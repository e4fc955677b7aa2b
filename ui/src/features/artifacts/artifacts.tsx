/** What a run shows to people: each artifact by its key, and one of them in full. */

import { Show, createMemo, createSignal, onCleanup } from "solid-js";
import { Input } from "~/components/field";
import { Icon } from "~/components/icon";
import { Empty, ErrorNote, Loading } from "~/components/notice";
import { artifactsWith, versionsOf } from "~/data/artifact-kinds";
import { createArtifacts } from "~/data/artifacts";
import { useRun } from "~/data/run";
import { useKeys } from "~/lib/keys";
import { count, plural } from "~/lib/numbers";
import { useSearch } from "~/lib/search";
import { isFinal } from "~/lib/state";
import { ArtifactList } from "./artifact-list";
import { ArtifactDetail } from "./artifact-detail";
import styles from "./artifacts.module.css";

/** Pixels below which there is room for the list or for one artifact, not for both. */
const NARROW = 760;

export function Artifacts() {
  const { id, run } = useRun();
  const search = useSearch();
  const artifacts = createArtifacts(id, (flowRun) => !run()?.parent || flowRun === id());
  const versions = createMemo(() => versionsOf(artifacts.all()));
  const found = createMemo(() => artifactsWith(versions(), search.one("q")));
  const [width, setWidth] = createSignal(innerWidth);
  const isNarrow = () => width() < NARROW;
  let filter: HTMLInputElement | undefined;
  useKeys({ keys: "f", does: "Filter the artifacts", run: () => filter?.focus() });

  /** The one that the URL names; else, where there is room, the first that says more than how far something is. */
  const chosen = createMemo(() => {
    const named = search.one("artifact");
    if (named) return versions().find(({ all }) => all.some((one) => one.id === named));
    if (isNarrow()) return undefined;
    return found().find(({ newest }) => newest.kind !== "progress") ?? found()[0];
  });
  const version = () => chosen()?.all.find((one) => one.id === search.one("artifact")) ?? chosen()?.newest;
  const isGone = () => search.one("artifact") && artifacts.isRead() && !chosen();
  const watch = new ResizeObserver(([entry]) => setWidth(entry!.contentRect.width));
  onCleanup(() => watch.disconnect());

  return (
    <>
      <Show when={artifacts.error()}>{(error) => <ErrorNote error={error()} retry={artifacts.again} />}</Show>
      <Show
        when={versions().length}
        fallback={
          <Show
            when={artifacts.isRead()}
            fallback={<Show when={!artifacts.error()}>{<Loading what="artifacts" rows={6} />}</Show>}
          >
            <Empty
              icon="picture"
              title={
                isFinal(run()?.state ?? "") ? "This run made no artifacts." : "This run has made no artifacts yet."
              }
            >
              <code>create_markdown_artifact</code>, <code>create_table_artifact</code> and the like in{" "}
              <code>nadi.artifacts</code> show reports, tables, pictures, links and progress here.
            </Empty>
          </Show>
        }
      >
        <div ref={(box) => watch.observe(box)} class={styles.both} classList={{ [styles.narrow!]: isNarrow() }}>
          <Show when={!isNarrow() || !search.one("artifact")}>
            <div class={styles.side}>
              <div class={styles.filter}>
                <Icon name="filter" />
                <Input
                  ref={filter}
                  type="search"
                  aria-label="Filter artifacts"
                  placeholder={`Filter ${plural(versions().length, "artifact")}`}
                  value={search.one("q")}
                  onInput={(event) => search.set({ q: event.currentTarget.value })}
                />
                <Show when={found().length !== versions().length}>
                  <span class="sr-only" role="status">
                    {count(found().length)} of {count(versions().length)}
                  </span>
                </Show>
              </div>
              <ArtifactList
                versions={found()}
                chosen={isNarrow() ? undefined : chosen()}
                onChoose={(to) => search.set({ artifact: to.newest.id, ...FRESH }, { push: isNarrow() })}
              />
            </div>
          </Show>
          <Show when={!isNarrow() || search.one("artifact")}>
            <div class={styles.detail}>
              <Show
                when={version()}
                fallback={
                  <Show when={isGone()} fallback={<Show when={!artifacts.isRead()}>{<Loading />}</Show>}>
                    <Empty title="This run has no artifact like that. It may have been deleted with another run." />
                  </Show>
                }
              >
                {(artifact) => (
                  <ArtifactDetail
                    artifact={artifact()}
                    versions={chosen()!.all}
                    onVersion={(to) => search.set({ artifact: to, ...FRESH })}
                    onBack={isNarrow() ? () => search.set({ artifact: undefined, ...FRESH }) : undefined}
                  />
                )}
              </Show>
            </div>
          </Show>
        </div>
      </Show>
    </>
  );
}

/** What was chosen within one artifact means nothing to another. */
const FRESH = { rows: undefined, sort: undefined, history: undefined, with: undefined };
