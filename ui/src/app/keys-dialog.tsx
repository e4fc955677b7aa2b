import { For } from "solid-js";
import { Dialog } from "~/components/dialog";
import { shortcuts } from "~/lib/keys";
import styles from "./keys-dialog.module.css";

/** The keys that work on the page that is open. */
export function KeysDialog(props: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={props.open} title="Keys" onClose={props.onClose}>
      <dl class={styles.keys}>
        <For each={[...shortcuts()].reverse()}>
          {(shortcut) => (
            <div>
              <dt>
                <For each={shortcut.keys.split(" ")}>{(key) => <kbd>{key}</kbd>}</For>
              </dt>
              <dd>{shortcut.does}</dd>
            </div>
          )}
        </For>
        <div>
          <dt>
            <kbd>Ctrl</kbd>
            <kbd>K</kbd>
          </dt>
          <dd>Search and go anywhere, also while one writes</dd>
        </div>
        <div>
          <dt>
            <kbd>j</kbd>
            <kbd>k</kbd>
          </dt>
          <dd>Down and up in a table; Enter opens</dd>
        </div>
      </dl>
    </Dialog>
  );
}
