import { For } from "solid-js";
import type { Shortcut } from "~/lib/keys";
import styles from "./keys-list.module.css";

/** Keys that work wherever there is what they are for, as `keys` beside what they do. */
const ALWAYS: readonly Pick<Shortcut, "keys" | "does">[] = [
  { keys: "Ctrl K", does: "Search and go anywhere, also while one writes" },
  { keys: "j k", does: "Down and up in a table; Enter opens" },
];

/** Keys, and what each does. */
export function KeysList(props: { shortcuts: readonly Shortcut[] }) {
  // Of the same keys, the first counts.
  const all = () => props.shortcuts.filter((one, n, list) => list.findIndex((other) => other.keys === one.keys) === n);
  return (
    <dl class={styles.keys}>
      <For each={[...all(), ...ALWAYS]}>
        {(shortcut) => (
          <div>
            <dt>
              <For each={shortcut.keys.split(" ")}>{(key) => <kbd>{key}</kbd>}</For>
            </dt>
            <dd>{shortcut.does}</dd>
          </div>
        )}
      </For>
    </dl>
  );
}
