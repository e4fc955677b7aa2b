import { For, createSignal } from "solid-js";
import { Icon } from "./icon";
import { IconButton } from "./button";
import styles from "./toasts.module.css";

interface Toast {
  id: number;
  text: string;
  isProblem: boolean;
}

/** Milliseconds that good news stands there. What went wrong stays until it is put away. */
const STAYS = 4_000;
const MOST = 4;
const [toasts, setToasts] = createSignal<readonly Toast[]>([]);
let last = 0;

function put(text: string, isProblem: boolean): void {
  const toast = { id: ++last, text, isProblem };
  setToasts((all) => [...all.filter((one) => one.text !== text), toast].slice(-MOST));
  if (!isProblem) setTimeout(() => away(toast.id), STAYS);
}

function away(id: number): void {
  setToasts((all) => all.filter((one) => one.id !== id));
}

/** Say that something was done. */
export function tell(text: string): void {
  put(text, false);
}

/** Say that something could not be done. */
export function tellProblem(error: unknown): void {
  put(error instanceof Error ? error.message : String(error), true);
}

/** Where it is said; once, in the shell. */
export function Toasts() {
  return (
    <div class={styles.toasts} role="status" aria-live="polite">
      <For each={toasts()}>
        {(toast) => (
          <div class={styles.toast} classList={{ [styles.problem!]: toast.isProblem }}>
            <Icon name={toast.isProblem ? "warning" : "check"} />
            <span class="told">{toast.text}</span>
            <IconButton icon="cross" label="Put away" onClick={() => away(toast.id)} />
          </div>
        )}
      </For>
    </div>
  );
}
