/** The metrics of a run as charts, live, with other runs laid over them. */

import { For, Show, createMemo, createSignal } from "solid-js";
import { Dialog } from "~/components/dialog";
import { Empty, ErrorNote, Loading } from "~/components/notice";
import { tell, tellProblem } from "~/components/toasts";
import { groupsOf } from "~/data/metric-charts";
import type { MetricGroup } from "~/data/metric-charts";
import { createMetrics } from "~/data/metrics";
import { useRun } from "~/data/run";
import { useKeys } from "~/lib/keys";
import { plural } from "~/lib/numbers";
import { save } from "~/lib/saving";
import { useSearch } from "~/lib/search";
import { isFinal } from "~/lib/state";
import { clock, secondsOf } from "~/lib/times";
import { ChartCard, GroupChart } from "./chart-card";
import { FiguresTable } from "./figures-table";
import { MOST_OTHERS, fitting, namesOf, rangeText, shownOf } from "./model";
import type { Source } from "./model";
import { createOthers } from "./others";
import { metricsAsCsv } from "./saving";
import { LaidRuns, LayOver } from "./laid-runs";
import { Tools } from "./tools";
import styles from "./metrics.module.css";

export function Metrics() {
  const { id, run } = useRun();
  const search = useSearch();
  const shown = createMemo(() => shownOf((name) => search.one(name)));
  const own = createMetrics(id, (flowRun) => !run()?.parent || flowRun === id());
  const otherIds = createMemo(
    () => [...new Set(search.all("with"))].filter((other) => other !== id()).slice(0, MOST_OTHERS),
    [],
    { equals: (a, b) => a.join() === b.join() },
  );
  const others = createOthers(otherIds);
  const [saving, setSaving] = createSignal(false);
  let filter: HTMLInputElement | undefined;
  useKeys({ keys: "f", does: "Filter the metrics", run: () => filter?.focus() });

  const names = createMemo(() =>
    namesOf([
      { id: id(), name: run()?.name ?? "" },
      ...others().map((other) => ({ id: other.id, name: other.run()?.name ?? other.id })),
    ]),
  );
  const sources = createMemo((): Source[] => [
    {
      id: id(),
      name: names()[0]!,
      started: secondsOf(run()?.started ?? run()?.created),
      series: (key) => own.table().series(key),
    },
    ...others().map((other, n) => ({
      id: other.id,
      name: names()[n + 1]!,
      started: secondsOf(other.run()?.started ?? other.run()?.created),
      series: (key: string) => other.metrics.table().series(key),
    })),
  ]);
  const known = createMemo(() => [
    ...new Set([own, ...others().map((other) => other.metrics)].flatMap((metrics) => metrics.table().keys())),
  ]);
  const keys = createMemo(() => fitting(known(), shown().filter));
  // A group that is the same as before keeps its chart.
  const kept = new Map<string, MetricGroup>();
  const groups = createMemo(() =>
    groupsOf(keys(), shown().grouping).map((group) => {
      const name = JSON.stringify(group);
      if (!kept.has(name)) kept.set(name, group);
      return kept.get(name)!;
    }),
  );
  const large = () => groups().find((group) => group.title === search.one("chart"));
  const setRange = (range: [number, number] | undefined) => search.set({ range: rangeText(range) });
  const sorting = () => {
    const [key, way] = search.one("sort").split(".");
    return key ? { key, descending: way === "down" } : undefined;
  };
  const saveAll = async () => {
    setSaving(true);
    try {
      const wanted = new Set(keys());
      const saved = await metricsAsCsv(sources(), (key) => wanted.has(key));
      save(new Blob([saved.text], { type: "text/csv" }), `${run()?.name ?? "metrics"}-metrics.csv`);
      if (saved.thinned) tell(`${plural(saved.thinned, "metric")} with very many values were thinned out.`);
    } catch (error) {
      tellProblem(error);
    } finally {
      setSaving(false);
    }
  };

  return (
    <>
      <div class={styles.tools}>
        <Tools
          shown={shown()}
          set={search.set}
          onSave={() => void saveAll()}
          saving={saving()}
          filterRef={(input) => (filter = input)}
          more={
            <LayOver
              flow={run()?.flow ?? ""}
              run={id()}
              others={otherIds()}
              onOthers={(ids) => search.set({ with: ids })}
            />
          }
        />
      </div>
      <LaidRuns
        runs={[
          { id: id(), name: names()[0]!, problem: "", asOf: "" },
          ...others().map((other, n) => {
            const isOver = isFinal(other.run()?.state ?? "COMPLETED");
            return {
              id: other.id,
              name: names()[n + 1]!,
              problem: other.error()?.message ?? "",
              asOf: isOver ? "" : `It still ran when it was read at ${clock(Date.now() / 1000).slice(0, 8)}.`,
              again: other.again,
            };
          }),
        ]}
        onOthers={(ids) => search.set({ with: ids })}
      />
      <Show when={own.error()}>{(error) => <ErrorNote error={error()} retry={own.again} />}</Show>
      <Show
        when={own.isRead() || known().length}
        fallback={<Show when={!own.error()}>{<Loading what="metrics" rows={6} />}</Show>}
      >
        <Show
          when={keys().length}
          fallback={
            <Show
              when={known().length}
              fallback={
                <Empty
                  icon="chart"
                  title={
                    isFinal(run()?.state ?? "") ? "This run logged no metrics." : "This run has logged no metrics yet."
                  }
                >
                  <code>log_metric("loss", 0.5)</code> in a flow or task draws a line here, value by value.
                </Empty>
              }
            >
              <Empty icon="filter" title="No metric has a name like that." />
            </Show>
          }
        >
          <Show
            when={!shown().isTable}
            fallback={
              <FiguresTable
                keys={keys()}
                sources={sources()}
                sorting={sorting()}
                onSort={(by) => search.set({ sort: `${by.key}.${by.descending ? "down" : "up"}` })}
              />
            }
          >
            <div class={styles.charts} tabIndex={-1}>
              <For each={groups()}>
                {(group) => (
                  <ChartCard
                    group={group}
                    sources={sources()}
                    shown={shown()}
                    onRange={setRange}
                    onLarger={() => search.set({ chart: group.title }, { push: true })}
                  />
                )}
              </For>
            </div>
          </Show>
        </Show>
      </Show>
      <Dialog
        open={Boolean(large())}
        title={large()?.title ?? ""}
        onClose={() => search.set({ chart: undefined })}
        wide
      >
        <Show when={large()} keyed>
          {(group) => (
            <GroupChart
              group={group}
              sources={sources()}
              shown={shown()}
              onRange={setRange}
              height={Math.max(240, Math.round(innerHeight * 0.55))}
            />
          )}
        </Show>
      </Dialog>
    </>
  );
}
