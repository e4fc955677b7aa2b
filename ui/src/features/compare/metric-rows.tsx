import { For, Show, createMemo } from "solid-js";
import { LineChart } from "~/components/line-chart";
import { lineLook } from "~/components/line-chart-looks";
import { WhenSeen } from "~/components/when-seen";
import { placed } from "~/data/metric-charts";
import type { MetricSeries } from "~/data/metric-series";
import { count, measured } from "~/lib/numbers";
import type { Compared } from "./compared";
import { Line, Section } from "./section";
import { inOrder, kept } from "./values";
import styles from "./compare.module.css";

interface MetricLine {
  key: string;
  /** `undefined` where a run has none of it, `null` where it is gone or not read yet. */
  each: readonly (MetricSeries | undefined | null)[];
  differs: boolean;
}

function metricLines(runs: readonly Compared[]): MetricLine[] {
  const keys = [...new Set(runs.flatMap((one) => one.metrics.table().keys()))];
  return keys.map((key) => {
    const each = runs.map((one) => (one.error() ? null : one.metrics.table().series(key)));
    const there = each.filter((one) => one !== null);
    const told = there.map((one) => one && [one.last, one.smallest, one.largest, one.count].join());
    return { key, each, differs: told.some((one) => one !== told[0]) };
  });
}

/** What each metric came to in each run. */
export function MetricRows(props: { runs: readonly Compared[]; only: boolean }) {
  const lines = createMemo<MetricLine[]>((before) => kept(metricLines(props.runs), before), []);
  return (
    <Section
      title="Metrics"
      runs={props.runs.length}
      lines={lines().length}
      different={lines().filter((one) => one.differs).length}
      only={props.only}
      none="No run logged any"
      reading={props.runs.some((one) => !one.metrics.isRead() && !one.metrics.error())}
    >
      <For each={inOrder(lines(), props.only)}>
        {(line) => (
          <Line
            label={<span class="told">{line.key}</span>}
            title={line.key}
            cells={line.each}
            differs={line.differs}
            isOther={(one, first) => one?.last !== first?.last}
          >
            {(series) => (
              <Show when={series !== null}>
                <Show when={series} fallback={<span class="soft">–</span>}>
                  {(series) => (
                    <div class={styles.metric}>
                      <span class="number" title={`The last of ${count(series().count)} values`}>
                        {measured(series().last)}
                      </span>
                      <Show when={series().count > 1}>
                        <span class={`${styles.each} number`}>
                          {measured(series().smallest)} to {measured(series().largest)}
                        </span>
                      </Show>
                    </div>
                  )}
                </Show>
              </Show>
            )}
          </Line>
        )}
      </For>
    </Section>
  );
}

/** Each metric of which some run has more than one value, as a line for each run. */
export function MetricCharts(props: { runs: readonly Compared[] }) {
  const keys = createMemo(
    () =>
      metricLines(props.runs)
        .filter((line) => line.each.some((one) => (one?.count ?? 0) > 1))
        .map((line) => line.key),
    [],
    { equals: (a, b) => a.join("\n") === b.join("\n") },
  );
  return (
    <div class={styles.charts}>
      <For each={keys()}>
        {(key) => (
          <section class={styles.chart} aria-label={key}>
            <h2 class="cut" title={key}>
              {key}
            </h2>
            <WhenSeen height={236}>
              <LineChart
                label={key}
                height={190}
                together="compare"
                series={props.runs.flatMap((one, place) => {
                  const series = one.metrics.table().series(key);
                  if (!series) return [];
                  const name = one.run()?.name ?? one.id;
                  return [{ label: name, look: lineLook(place), points: placed(series, "step", 0) }];
                })}
              />
            </WhenSeen>
          </section>
        )}
      </For>
    </div>
  );
}
