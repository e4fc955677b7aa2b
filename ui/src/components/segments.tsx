import { For } from "solid-js";
import type { JSX } from "solid-js";
import styles from "./segments.module.css";

/** One of a few, side by side: which part is shown, or of which time. */
export function Segments<Value extends string>(props: {
  label: string;
  options: readonly { value: Value; label: JSX.Element; title?: string }[];
  value: Value;
  onChoose: (value: Value) => void;
}) {
  return (
    <div class={styles.segments} role="group" aria-label={props.label}>
      <For each={props.options}>
        {(option) => (
          <button
            type="button"
            class={styles.one}
            aria-pressed={option.value === props.value}
            title={option.title}
            onClick={() => props.onChoose(option.value)}
          >
            {option.label}
          </button>
        )}
      </For>
    </div>
  );
}
