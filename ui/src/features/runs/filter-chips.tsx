import { For, Show } from "solid-js";
import { Button } from "~/components/button";
import { Icon } from "~/components/icon";
import { ALL, chipsOf } from "./view";
import type { View } from "./view";
import styles from "./filter-bar.module.css";

/** What the list is narrowed by now; each can be put away. */
export function FilterChips(props: { view: View; onChange: (change: Partial<View>) => void }) {
  return (
    <Show when={chipsOf(props.view).length}>
      <ul class={styles.chips} aria-label="What the list is narrowed by">
        <For each={chipsOf(props.view)}>
          {(chip) => (
            <li>
              <button
                type="button"
                class={styles.chip}
                title={`${chip.value.slice(0, 500)}\nPress to put this away.`}
                onClick={() => props.onChange(chip.without)}
              >
                <span class="soft">{chip.label}</span>
                <span class="cut">{chip.value.slice(0, 500)}</span>
                <span class="sr-only">put away</span>
                <Icon name="cross" size={11} />
              </button>
            </li>
          )}
        </For>
        <li>
          <Button kind="quiet" onClick={() => props.onChange(ALL)}>
            Clear
          </Button>
        </li>
      </ul>
    </Show>
  );
}
