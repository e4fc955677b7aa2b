/** How long the runs of a flow took and how they ended, over time; below, its newest runs, or those of a chosen time. */

import { Show, createMemo } from "solid-js";
import { LineChart } from "~/components/line-chart";
import { ErrorNote, Loading } from "~/components/notice";
import { Segments } from "~/components/segments";
import { useDurations } from "~/data/flow";
import { useRuns } from "~/data/runs";
import { StateHistogram } from "~/graph/state-histogram";
import { count, percent, plural } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { duration, exact, secondsOf } from "~/lib/times";
import { RANGES, RANGE_SECONDS, barsOf, linesOf, outcomesOf, rangeName, stepTold } from "./figures";
import type { RangeName } from "./figures";
import { RunRows } from "./run-rows";
import styles from "./overview.module.css";

const LABELS: Record<RangeName, { short: string; told: string }> = {
  all: { short: "All", told: "Runs as far back as they go, at most 2,000" },
  "24h": { short: "24 h", told: "Runs of the last 24 hours" },
  "7d": { short: "7 d", told: "Runs of the last 7 days" },
  "30d": { short: "30 d", told: "Runs of the last 30 days" },
};
const LISTED = 20;

/** "2026-11-23T14:00:00Z", as a URL has it. */
function inUrl(time: number): string {
  return new Date(time * 1000).toISOString().replace(/\.\d+Z$/, "Z");
}

export function Overview(props: { flow: string; newest: ReturnType<typeof useRuns> }) {
  const search = useSearch();
  const range = () => rangeName(search.one("range"));
  const { query, durations } = useDurations(
    () => props.flow,
    () => RANGE_SECONDS[range()],
  );
  const chosen = createMemo((): readonly [number, number] | undefined => {
    const [from, to] = [secondsOf(search.one("from")), secondsOf(search.one("to"))];
    return from > 0 && to > from ? [from, to] : undefined;
  });
  const bars = createMemo(() => (durations() ? barsOf(durations()!) : []));
  const lines = createMemo(() => (durations() ? linesOf(durations()!) : { p50: [], p95: [] }));
  const outcomes = () => outcomesOf(durations()!);
  return (
    <div class={styles.overview}>
      <div class={styles.bar}>
        <Show when={durations()}>
          {(told) => (
            <dl class={styles.figures}>
              <Figure label="Ended" value={count(outcomes().ended)} />
              <Figure
                label="Success"
                value={percent(outcomes().good, outcomes().of)}
                title={`${count(outcomes().good)} of ${plural(outcomes().of, "run")} that ended by themselves completed`}
              />
              <Figure label="Failed" value={count(outcomes().failed)} isBad={outcomes().failed > 0} />
              <Figure label="Half took up to" value={told().p50 === null ? "–" : duration(told().p50!)} note="p50" />
              <Figure label="95 % took up to" value={told().p95 === null ? "–" : duration(told().p95!)} note="p95" />
            </dl>
          )}
        </Show>
        <Segments
          label="Time"
          options={RANGES.map((name) => ({ value: name, label: LABELS[name].short, title: LABELS[name].told }))}
          value={range()}
          onChoose={(name) => search.set({ range: name === "all" ? "" : name, from: "", to: "" }, { push: true })}
        />
      </div>
      <Show when={query.error}>{(error) => <ErrorNote error={error()} retry={() => void query.refetch()} />}</Show>
      <Show when={durations()} fallback={<Show when={!query.error}>{<Loading what="durations" rows={6} />}</Show>}>
        {(told) => (
          <>
            <div class={styles.pictures}>
              <section class={styles.picture} aria-label="Durations">
                <h2>
                  Durations <span class={styles.step}>{stepTold(told().step)}, of runs that completed</span>
                </h2>
                <Show
                  when={lines().p50.length > 1}
                  fallback={
                    <p class={styles.nothing}>
                      {lines().p50.length
                        ? `Those that completed were all made within one step of ${exact(lines().p50[0]![0])}: too few for a line.`
                        : "No run of this time has completed."}
                    </p>
                  }
                >
                  <LineChart
                    label={`How long runs of ${props.flow.slice(0, 100)} took, over time`}
                    series={[
                      { label: "p50", points: lines().p50, colour: "--series-1" },
                      { label: "p95", points: lines().p95, colour: "--series-2" },
                    ]}
                    xIsTime
                    unit="s"
                    height={170}
                  />
                </Show>
              </section>
              <section class={styles.picture} aria-label="Outcomes">
                <h2>
                  Outcomes <span class={styles.step}>{stepTold(told().step)}; drag to choose a time</span>
                </h2>
                <StateHistogram
                  label={`How runs of ${props.flow.slice(0, 100)} ended, over time`}
                  buckets={bars()}
                  height={150}
                  selected={chosen()}
                  onSelect={(from, to) => search.set({ from: inUrl(from), to: inUrl(to) })}
                  onClear={() => search.set({ from: undefined, to: undefined })}
                />
              </section>
            </div>
            <Show when={told().more}>
              <p class={styles.more}>
                These are its newest {plural(told().runs, "run")}, made since {exact(secondsOf(told().since))}.
              </p>
            </Show>
          </>
        )}
      </Show>
      <Show
        when={chosen()}
        fallback={
          <RunRows
            title="Newest runs"
            data={props.newest}
            most={LISTED}
            href={paths.runs({ flow: props.flow })}
            more="All runs"
          />
        }
      >
        {(chosen) => (
          <Chosen
            flow={props.flow}
            from={chosen()[0]}
            to={chosen()[1]}
            onClear={() => search.set({ from: "", to: "" })}
          />
        )}
      </Show>
    </div>
  );
}

function Chosen(props: { flow: string; from: number; to: number; onClear: () => void }) {
  const which = createMemo(() => ({ flow: props.flow, since: inUrl(props.from), until: inUrl(props.to) }));
  const runs = useRuns(which, { limit: 50 });
  return (
    <RunRows
      title={`Runs from ${exact(props.from)} to ${exact(props.to)}`}
      data={runs}
      most={50}
      href={paths.runs({ flow: props.flow, since: inUrl(props.from), until: inUrl(props.to) })}
      more="All of these"
      onClear={() => props.onClear()}
    />
  );
}

function Figure(props: { label: string; value: string; note?: string; title?: string; isBad?: boolean }) {
  return (
    <div class={styles.figure} title={props.title}>
      <dt>
        {props.label}
        <Show when={props.note}>{(note) => <span class={styles.note}>{note()}</span>}</Show>
      </dt>
      <dd classList={{ [styles.bad!]: props.isBad }}>{props.value}</dd>
    </div>
  );
}
