/** What the runs of a time came to, by state: the key to the histogram, and the way to the runs of each state. */

import { A } from "@solidjs/router";
import { For } from "solid-js";
import { Icon } from "~/components/icon";
import { short } from "~/lib/numbers";
import { countsInOrder, lookOf } from "~/lib/state";
import type { State } from "~/lib/state";
import styles from "./legend.module.css";

export function Legend(props: { counts: Record<string, number>; href: (state: State) => string }) {
  return (
    <ul class={styles.legend} aria-label="Runs by state">
      <For each={countsInOrder(props.counts).reverse()}>
        {([state, n]) => (
          <li>
            <A href={props.href(state)} class={styles.one}>
              <span style={{ color: `var(${lookOf(state).colour})` }}>
                <Icon name={lookOf(state).icon} size={13} />
              </span>
              <span class="number">{short(n)}</span> {lookOf(state).label.toLowerCase()}
            </A>
          </li>
        )}
      </For>
    </ul>
  );
}
