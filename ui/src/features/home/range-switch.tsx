import { For } from "solid-js";
import { below, paths } from "~/lib/paths";
import { RANGES, RANGE_LABELS } from "./home-range";
import type { RangeName } from "./home-range";
import styles from "./range-switch.module.css";

/** How far back the page looks: links, since each is a view of its own. */
export function RangeSwitch(props: { current: RangeName }) {
  return (
    <nav class={styles.switch} aria-label="Time">
      <For each={RANGES}>
        {(name) => (
          // Not <A>, which takes all three for the current one, as their paths are the same.
          <a
            href={below(paths.home({ range: name === "24h" ? undefined : name }))}
            class={styles.one}
            aria-current={name === props.current ? "true" : undefined}
            title={`Runs ${RANGE_LABELS[name].told}`}
            noScroll
          >
            {RANGE_LABELS[name].short}
          </a>
        )}
      </For>
    </nav>
  );
}
