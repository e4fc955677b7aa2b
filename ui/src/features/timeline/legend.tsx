/** What the lines and marks of the timeline mean, of those that there are. */

import { For, Show, createMemo } from "solid-js";
import { Icon } from "~/components/icon";
import { isReused } from "~/graph/timeline/model";
import { STATES, lookOf } from "~/lib/state";
import type { Picture } from "./picture";
import styles from "./timeline.module.css";

export function Legend(props: { picture: Picture }) {
  const found = createMemo(() => {
    const { pieces, tried } = props.picture;
    const states = new Set(pieces.map((piece) => piece.state));
    for (const all of tried.values()) for (const one of all) states.add(one.state);
    return {
      states: STATES.filter((state) => states.has(state)),
      hasRetries: tried.size > 0,
      hasWaited: pieces.some((piece) => piece.started - piece.created > 0.001 || (!piece.started && !piece.ended)),
      hasReused: pieces.some(isReused),
    };
  });
  return (
    <ul class={styles.legend} aria-label="Legend">
      <For each={found().states}>
        {(state) => (
          <li>
            <span style={{ color: `var(${lookOf(state).colour})` }}>
              <Icon name={lookOf(state).icon} size={12} />
            </span>
            {lookOf(state).label}
          </li>
        )}
      </For>
      <Show when={found().hasWaited}>
        <li>
          <span class={styles.waits} />
          waiting
        </li>
      </Show>
      <Show when={found().hasRetries}>
        <li>
          <span class={styles.retries} />
          between attempts
        </li>
      </Show>
      <Show when={found().hasReused}>
        <li>reused: its outcome was there already</li>
      </Show>
    </ul>
  );
}
