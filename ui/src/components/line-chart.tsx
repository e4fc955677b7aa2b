/**
 * Lines over numbers or time: with a legend that tells the values under the cursor and takes lines away, zoom by
 * drag, and the same as a table. What draws it is loaded with the first chart.
 */

import {
  Show,
  createEffect,
  createMemo,
  createSignal,
  createUniqueId,
  on,
  onCleanup,
  onMount,
  untrack,
} from "solid-js";
import { throttled } from "~/lib/throttled";
import { isDark } from "~/lib/theme";
import { IconButton } from "./button";
import { aligned, chartSentence, placeText, valueText } from "./line-chart-data";
import type { Aligned, Point, XKind } from "./line-chart-data";
import { LineLegend } from "./line-chart-legend";
import { lineLook } from "./line-chart-looks";
import type { LineLook } from "./line-chart-looks";
import type { Plot } from "./line-chart-plot";
import { LineTable } from "./line-chart-table";
import styles from "./line-chart.module.css";

export type { Point } from "./line-chart-data";

export interface LineSeries {
  label: string;
  /** By x in ascending order, best; `null` is a gap in the line. Where two have one x, the later counts. */
  points: readonly Point[];
  /** Custom property of tokens.css; one of its own for each line if not given. */
  colour?: `--${string}`;
  /** Each line has a dash of its own, unless it is told whether it is dashed. */
  dashed?: boolean;
  /** In place of colour and dash, where lines belong together in two ways. */
  look?: LineLook;
  /** Drawn faintly behind it, such as what it smoothes. */
  behind?: readonly Point[];
}

export interface LineChartProps {
  /** What it shows, for those who do not see it. */
  label: string;
  series: readonly LineSeries[];
  /** Whether x is Unix seconds. */
  xIsTime?: boolean;
  /** What x is, where it is not Unix seconds; plain numbers if not given. */
  xKind?: XKind;
  /** What x is called, in the table. */
  xLabel?: string;
  /** Of y; "s" for durations. */
  unit?: string;
  /** Pixels, without the legend. */
  height?: number;
  /** Whether y is logarithmic. */
  log?: boolean;
  /** The part of the x axis that is shown, where whoever shows the chart keeps it. */
  range?: readonly [number, number];
  onRange?: (range: [number, number] | undefined) => void;
  /** Charts with the same name move their cursors together. */
  together?: string;
}

export function LineChart(props: LineChartProps) {
  const about = createUniqueId();
  let host!: HTMLDivElement;
  const [plot, setPlot] = createSignal<Plot>();
  const [width, setWidth] = createSignal(0);
  const [hidden, setHidden] = createSignal<ReadonlySet<string>>(new Set());
  const [ownRange, setOwnRange] = createSignal<readonly [number, number]>();
  const [cursor, setCursor] = createSignal<{ x: number; at: readonly number[] }>();
  const [said, setSaid] = createSignal("");
  const [isTable, setIsTable] = createSignal(false);

  const range = () => (props.onRange ? props.range : ownRange());
  const setRange = (to: [number, number] | undefined) => (props.onRange ? props.onRange(to) : setOwnRange(to));
  const xKind = (): XKind => (props.xIsTime ? "time" : (props.xKind ?? "number"));
  // The same lines with other values are the same lines: what stands in the legend must not be made anew each time.
  const lines = createMemo(() => props.series.map((one, n) => ({ label: one.label, look: lookOf(one, n) })), [], {
    equals: (before, after) => JSON.stringify(before) === JSON.stringify(after),
  });
  /** Lines that have something behind them: that is drawn as more lines, after all others. */
  const behind = () => props.series.flatMap((one, n) => (one.behind ? [n] : []));
  const height = () => props.height ?? 220;
  let data: Aligned = [[]];

  // What a plot is made for. When it changes another one is made; values alone are drawn by the one that is there.
  const made = createMemo(() =>
    JSON.stringify([
      lines(),
      behind(),
      xKind(),
      props.unit,
      props.log,
      props.together,
      isWhole(props.series),
      width() > 0,
    ]),
  );
  const [loaded, setLoaded] = createSignal<typeof import("./line-chart-plot")>();
  onMount(() => {
    void import("./line-chart-plot").then(setLoaded);
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    watch.observe(host);
    onCleanup(() => watch.disconnect());
  });
  createEffect(
    on([loaded, made, isTable], ([module, , hasTable]) => {
      if (!module || !width() || hasTable) return;
      data = values();
      const one = new module.Plot(host, data, {
        looks: lines().map((line) => line.look),
        behind: behind(),
        xKind: xKind(),
        isWhole: isWhole(props.series),
        unit: props.unit ?? "",
        log: props.log ?? false,
        width: width(),
        height: height(),
        together: props.together ?? "",
        onCursor: (x, at) => setCursor(x === undefined ? undefined : { x, at }),
        onZoom: setRange,
        onReset: () => setRange(undefined),
      });
      setPlot(one);
      onCleanup(() => {
        setPlot(undefined);
        setCursor(undefined);
        one.end();
      });
    }),
  );
  const values = () =>
    aligned([...props.series.map((one) => one.points), ...behind().map((n) => props.series[n]!.behind!)], props.log);

  // However often values come, they are drawn once in a frame.
  let frame = 0;
  createEffect(
    on(
      () => props.series.map((one) => one.points),
      () => {
        frame ||= requestAnimationFrame(() => {
          frame = 0;
          data = values();
          plot()?.set(data);
        });
      },
      { defer: true },
    ),
  );
  onCleanup(() => cancelAnimationFrame(frame));
  createEffect(() => plot()?.size(width(), height()));
  createEffect(() => props.series.forEach((one, n) => plot()?.show(n, !hidden().has(one.label))));
  createEffect(() => plot()?.zoom(range()));
  createEffect(on(isDark, () => plot()?.recolour(), { defer: true }));

  // Who hears it needs it now and then, not with each value.
  const tellSentence = () => chartSentence(props.label, props.series, props.unit);
  const [sentence, setSentence] = createSignal(untrack(tellSentence));
  const retell = throttled(() => setSentence(untrack(tellSentence)), 1_000);
  createEffect(on(() => [props.label, props.series, props.unit], retell, { defer: true }));

  const step = (by: number) => {
    const xs = data[0];
    const now = cursor();
    const from = now ? xs.indexOf(now.x) : by > 0 ? -1 : xs.length;
    const x = xs[Math.max(0, Math.min(xs.length - 1, from + by))];
    if (x === undefined) return;
    plot()?.point(x);
    setSaid(`${placeText(x, xKind())}: ${props.series.map((one, n) => `${one.label} ${at(n)}`).join(", ")}`);
  };
  const magnify = (factor: number) => {
    const [low, high] = plot()?.seen() ?? [0, 0];
    const middle = cursor()?.x ?? (low + high) / 2;
    setRange([middle - (middle - low) * factor, middle + (high - middle) * factor]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const many = Math.max(1, Math.round(data[0].length / 20));
    const does: Record<string, () => void> = {
      ArrowRight: () => step(event.shiftKey ? many : 1),
      ArrowLeft: () => step(event.shiftKey ? -many : -1),
      Home: () => step(-Infinity),
      End: () => step(Infinity),
      "+": () => magnify(0.5),
      "-": () => magnify(2),
      "0": () => setRange(undefined),
      Escape: () => plot()?.point(undefined),
    };
    if (!does[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    does[event.key]!();
  };
  /** What a line has under the cursor. */
  const at = (place: number) => {
    const now = cursor();
    return now ? valueText(data[place + 1]?.[now.at[place] ?? -1], props.unit) : "";
  };

  return (
    <figure class={styles.chart}>
      <div class={styles.top}>
        <LineLegend
          label={props.label}
          lines={lines()}
          hidden={hidden()}
          onHidden={setHidden}
          value={(n) => at(n)}
          place={cursor() ? placeText(cursor()!.x, xKind()) : ""}
        />
        <div class={styles.tools}>
          <Show when={range()}>
            <IconButton icon="minus" label="Show all of it (0)" onClick={() => setRange(undefined)} />
          </Show>
          <IconButton
            icon={isTable() ? "chart" : "table"}
            label={isTable() ? "Show as a chart" : "Show as a table"}
            aria-pressed={isTable()}
            onClick={() => setIsTable(!isTable())}
          />
        </div>
      </div>
      <div
        class={styles.field}
        style={{ height: `${height()}px` }}
        role="group"
        aria-roledescription="line chart"
        aria-label={props.label}
        aria-describedby={about}
        tabIndex={isTable() ? undefined : 0}
        onKeyDown={(event) => !isTable() && onKeyDown(event)}
        onBlur={() => plot()?.point(undefined)}
      >
        <div ref={host} class={styles.host} hidden={isTable()} />
        <Show when={isTable()}>
          <LineTable
            label={props.label}
            series={props.series}
            data={values()}
            xKind={xKind()}
            xLabel={props.xLabel}
            unit={props.unit}
          />
        </Show>
      </div>
      <p id={about} class="sr-only">
        {sentence()}
      </p>
      <p class="sr-only" role="status">
        {said()}
      </p>
    </figure>
  );
}

function lookOf(one: LineSeries, place: number): LineLook {
  const look = one.look ?? lineLook(place);
  return {
    colour: one.colour ?? look.colour,
    dash: one.dashed === undefined ? look.dash : one.dashed ? [6, 4] : [],
  };
}

/** Whether all places are whole numbers; the first and last of each line tell, since all come from one source. */
function isWhole(series: readonly LineSeries[]): boolean {
  return series.every(
    ({ points }) => Number.isInteger(points[0]?.[0] ?? 0) && Number.isInteger(points.at(-1)?.[0] ?? 0),
  );
}
