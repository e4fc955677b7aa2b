import { For, Show } from "solid-js";
import type { LineLook } from "./line-chart-looks";
import styles from "./line-chart.module.css";

/** Which line is which, and what it has under the cursor. A line is taken away by a click, or all others with Shift. */
export function LineLegend(props: {
  label: string;
  lines: readonly { label: string; look: LineLook }[];
  hidden: ReadonlySet<string>;
  onHidden: (hidden: ReadonlySet<string>) => void;
  value: (place: number) => string;
  place: string;
}) {
  const press = (label: string, event: MouseEvent) => {
    const others = props.lines.map((line) => line.label).filter((other) => other !== label);
    const isAlone = !props.hidden.has(label) && others.every((other) => props.hidden.has(other));
    if (event.shiftKey) return props.onHidden(new Set(isAlone ? [] : others));
    const hidden = new Set(props.hidden);
    if (!hidden.delete(label)) hidden.add(label);
    props.onHidden(hidden);
  };
  return (
    <div class={styles.legend} role="group" aria-label={`Lines of ${props.label}`}>
      <For each={props.lines}>
        {(line, n) => (
          <button
            type="button"
            class={styles.line}
            aria-pressed={!props.hidden.has(line.label)}
            title={`${line.label.slice(0, 500)}\nClick takes it away, Shift and click all others`}
            onClick={(event) => press(line.label, event)}
          >
            <Swatch look={line.look} />
            {/* The only line of a chart is called what the chart is called. */}
            <span class={props.lines.length === 1 && line.label === props.label ? "sr-only" : "cut"}>{line.label}</span>
            <Show when={props.place}>
              <span class={styles.value}>{props.value(n())}</span>
            </Show>
          </button>
        )}
      </For>
      <Show when={props.place}>
        <span class={styles.place}>{props.place}</span>
      </Show>
    </div>
  );
}

/** A piece of a line, as the chart draws it. */
export function Swatch(props: { look: LineLook }) {
  return (
    <svg class={styles.swatch} width="22" height="10" viewBox="0 0 22 10" aria-hidden="true">
      <path
        d="M0 5H22"
        stroke-width="2.2"
        stroke-dasharray={props.look.dash.join(" ")}
        style={{ stroke: `var(${props.look.colour})` }}
      />
    </svg>
  );
}
