import { Show, createMemo } from "solid-js";
import { IconButton } from "~/components/button";
import { LineChart } from "~/components/line-chart";
import { WhenSeen } from "~/components/when-seen";
import type { MetricGroup } from "~/data/metric-charts";
import { measured } from "~/lib/numbers";
import { linesOf } from "./model";
import type { Shown, Source } from "./model";
import styles from "./metrics.module.css";

/** Pixels that a card takes while it is not seen. */
const HEIGHT = 292;

interface ChartProps {
  group: MetricGroup;
  sources: readonly Source[];
  shown: Shown;
  onRange: (range: [number, number] | undefined) => void;
}

/** The chart of some metrics, with the last value of one that is alone. */
export function ChartCard(props: ChartProps & { onLarger: () => void }) {
  return (
    <section class={styles.card} aria-label={props.group.title}>
      <header class={styles.cardHead}>
        <h2 class="cut" title={props.group.title}>
          {props.group.title}
        </h2>
        <LastValue {...props} />
        <IconButton icon="external" label={`Show ${props.group.title} larger`} onClick={() => props.onLarger()} />
      </header>
      <WhenSeen height={HEIGHT}>
        <GroupChart {...props} height={206} />
      </WhenSeen>
    </section>
  );
}

function LastValue(props: ChartProps) {
  const last = () => {
    const [source, ...others] = props.sources;
    const [metric, ...more] = props.group.metrics;
    const series = source && metric && !others.length && !more.length ? source.series(metric.key) : undefined;
    return series ? measured(series.last) : "";
  };
  return (
    <Show when={last()}>
      <span class={`${styles.last} number`} title="The last value">
        {last()}
      </span>
    </Show>
  );
}

export function GroupChart(props: ChartProps & { height: number }) {
  const lines = createMemo(() => linesOf(props.group, props.sources, props.shown));
  return (
    <Show when={lines().length} fallback={<p class={styles.none}>None of the runs has this.</p>}>
      <LineChart
        label={props.group.title}
        series={lines()}
        xIsTime={props.shown.axis === "time"}
        xKind={props.shown.axis === "elapsed" ? "elapsed" : "number"}
        xLabel={{ step: "Step", elapsed: "Since its start", time: "Time" }[props.shown.axis]}
        log={props.shown.log}
        height={props.height}
        range={props.shown.range}
        onRange={props.onRange}
        together="metrics"
      />
    </Show>
  );
}
