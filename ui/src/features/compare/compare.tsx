/** Two to six runs beside each other: what differs first. */

import { Show, createMemo } from "solid-js";
import { Check } from "~/components/field";
import { Empty } from "~/components/notice";
import { Page } from "~/components/page";
import { useKeys } from "~/lib/keys";
import { useSearch } from "~/lib/search";
import { AddRun } from "./add-run";
import { ArtifactChanges } from "./artifact-changes";
import { ArtifactRows } from "./artifact-rows";
import { createCompared } from "./compared";
import { CodeRows, ParameterRows, RunRows, TagRows } from "./fact-rows";
import { MetricCharts, MetricRows } from "./metric-rows";
import { RunHead } from "./run-head";
import { TaskRows } from "./task-rows";
import { runsOf } from "./values";
import styles from "./compare.module.css";

export function Compare() {
  const search = useSearch();
  const ids = createMemo(() => runsOf(search.all("run")), [], { equals: (a, b) => a.join() === b.join() });
  const runs = createCompared(ids);
  const only = () => search.one("only") === "1";
  const setOnly = (to: boolean) => search.set({ only: to ? "1" : undefined });
  const setRuns = (to: string[]) => search.set({ run: to, key: undefined });
  useKeys({ keys: "d", does: "Show only what differs", run: () => setOnly(!only()) });
  const title = () => (ids().length > 1 ? `Compare ${ids().length} runs` : "Compare runs");

  return (
    <Page
      title={title()}
      full
      aside={
        <>
          <Show when={ids().length > 1}>
            <Check
              label="Only differences"
              checked={only()}
              onChange={(event) => setOnly(event.currentTarget.checked)}
            />
          </Show>
          <AddRun runs={runs()} onRuns={setRuns} />
        </>
      }
    >
      <Show
        when={ids().length}
        fallback={
          <Empty icon="list" title="Choose two to six runs.">
            Add them here by their names, or mark them in the list of runs. The URL of this page says which they are, so
            that it can be sent to somebody.
          </Empty>
        }
      >
        <div class={styles.scroller} tabIndex={0} role="region" aria-label={title()}>
          <table class={styles.table} style={{ "--runs": ids().length }}>
            <RunHead runs={runs()} onRuns={setRuns} />
            <RunRows runs={runs()} only={only()} />
            <ParameterRows runs={runs()} only={only()} />
            <TagRows runs={runs()} only={only()} />
            <CodeRows runs={runs()} only={only()} />
            <TaskRows runs={runs()} only={only()} />
            <MetricRows runs={runs()} only={only()} />
            <ArtifactRows runs={runs()} only={only()} />
          </table>
          <MetricCharts runs={runs()} />
          <Show when={ids().length === 1}>
            <p class={styles.alone}>Add another run to see what differs.</p>
          </Show>
        </div>
        <ArtifactChanges runs={runs()} />
      </Show>
    </Page>
  );
}
