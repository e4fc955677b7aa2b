import { Show } from "solid-js";
import type { JSX } from "solid-js";
import { Button, IconButton } from "~/components/button";
import { Check, Input, Select } from "~/components/field";
import { Icon } from "~/components/icon";
import type { Axis, Grouping } from "~/data/metric-charts";
import type { Shown } from "./model";
import styles from "./metrics.module.css";

const BY: [Grouping, string][] = [
  ["prefix", "By prefix"],
  ["name", "By name"],
  ["each", "One by one"],
];
const X: [Axis, string][] = [
  ["step", "Step"],
  ["elapsed", "Since start"],
  ["time", "Time of day"],
];

/** How the charts are shown. */
export function Tools(props: {
  shown: Shown;
  set: (change: Record<string, string | undefined>) => void;
  onSave: () => void;
  saving: boolean;
  /** Beside the buttons at the end. */
  more: JSX.Element;
  filterRef: (input: HTMLInputElement) => void;
}) {
  return (
    <>
      <div class={styles.filter}>
        <Icon name="filter" />
        <Input
          ref={props.filterRef}
          type="search"
          aria-label="Filter metrics by name"
          placeholder="Filter by name"
          value={props.shown.filter}
          onInput={(event) => props.set({ q: event.currentTarget.value })}
        />
      </div>
      <Show when={!props.shown.isTable}>
        <label class={styles.tool}>
          <span>Charts</span>
          <Select
            value={props.shown.grouping}
            options={BY}
            onChange={(event) => props.set({ by: event.currentTarget.value })}
          />
        </label>
        <label class={styles.tool}>
          <span>Over</span>
          <Select
            value={props.shown.axis}
            options={X}
            onChange={(event) => props.set({ x: event.currentTarget.value, range: undefined })}
          />
        </label>
        <label class={styles.tool} title="Weight of what came before in a moving average">
          <span>Smooth</span>
          <input
            class={styles.slider}
            type="range"
            min="0"
            max="0.99"
            step="0.01"
            value={props.shown.smoothing}
            aria-valuetext={props.shown.smoothing ? props.shown.smoothing.toFixed(2) : "off"}
            onInput={(event) =>
              props.set({ smooth: Number(event.currentTarget.value) ? event.currentTarget.value : "" })
            }
          />
          <span class={styles.weight}>{props.shown.smoothing ? props.shown.smoothing.toFixed(2) : "off"}</span>
        </label>
        <Check
          label="Log scale"
          checked={props.shown.log}
          onChange={(event) => props.set({ log: event.currentTarget.checked ? "1" : undefined })}
        />
        <Show when={props.shown.range}>
          <Button kind="plain" onClick={() => props.set({ range: undefined })}>
            Show all again
          </Button>
        </Show>
      </Show>
      <span class={styles.space} />
      {props.more}
      <Button
        icon={props.shown.isTable ? "chart" : "table"}
        onClick={() => props.set({ view: props.shown.isTable ? undefined : "table" })}
      >
        {props.shown.isTable ? "Charts" : "Table"}
      </Button>
      <IconButton kind="plain" icon="download" label="Save as CSV" busy={props.saving} onClick={() => props.onSave()} />
    </>
  );
}
