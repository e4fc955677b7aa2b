import { For, Show } from "solid-js";
import { countsInOrder, lookOf } from "~/lib/state";
import { count } from "~/lib/numbers";
import styles from "./state-meter.module.css";

/** How many are in which state: a bar of parts as long as they are many, finished ones first. */
export function StateMeter(props: { counts: Record<string, number>; label?: string }) {
  const parts = () => countsInOrder(props.counts).reverse();
  const total = () => parts().reduce((sum, [, n]) => sum + n, 0);
  const told = () =>
    parts()
      .map(([state, n]) => `${count(n)} ${lookOf(state).label.toLowerCase()}`)
      .join(", ");
  return (
    <Show when={total()} fallback={<span class={styles.none} />}>
      <span class={styles.meter} role="img" aria-label={`${props.label ?? "Tasks"}: ${told()}`} title={told()}>
        <For each={parts()}>
          {([state, n]) => (
            <span
              class={styles.part}
              data-pattern={lookOf(state).pattern}
              style={{ "flex-grow": n, color: `var(${lookOf(state).colour})` }}
            />
          )}
        </For>
      </span>
    </Show>
  );
}
