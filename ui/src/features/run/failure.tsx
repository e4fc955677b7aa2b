/** What the state of a run or of a task says, and below it the traceback. */

import { Show, createSignal } from "solid-js";
import { CopyButton } from "~/components/copy-button";
import { Icon } from "~/components/icon";
import { lookOf, wentWrong } from "~/lib/state";
import styles from "./failure.module.css";

/** Characters of a message that are shown before somebody wants all of it. */
const SHORT = 260;

export function Failure(props: { state: string; message: string; detail: string; what: string }) {
  const [whole, setWhole] = createSignal(false);
  const [open, setOpen] = createSignal(false);
  const isLong = () => props.message.length > SHORT;
  const isBad = () => wentWrong(props.state);
  return (
    <Show when={props.message || (isBad() && props.detail)}>
      <div
        class={styles.failure}
        style={{ "border-color": isBad() ? `var(${lookOf(props.state).colour})` : "var(--line-strong)" }}
      >
        <div class={styles.head}>
          <p
            class={`${styles.message} told`}
            classList={{ [styles.whole!]: whole() }}
            tabIndex={whole() ? 0 : undefined}
          >
            {isLong() && !whole() ? `${props.message.slice(0, SHORT)}…` : props.message}
            <Show when={isLong()}>
              <button type="button" class={styles.more} onClick={() => setWhole(!whole())}>
                {whole() ? "Less" : "All of it"}
              </button>
            </Show>
          </p>
          <Show when={isBad() && props.detail}>
            <button type="button" class={styles.fold} aria-expanded={open()} onClick={() => setOpen(!open())}>
              <Icon name={open() ? "down" : "right"} size={13} />
              Traceback
            </button>
          </Show>
          <CopyButton
            text={isBad() && props.detail ? props.detail : props.message}
            label={
              isBad() && props.detail ? `Copy the traceback of ${props.what}` : `Copy the message of ${props.what}`
            }
          />
        </div>
        <Show when={open() && isBad()}>
          <pre class={`${styles.trace} told`} tabIndex={0} role="region" aria-label={`Traceback of ${props.what}`}>
            {props.detail}
          </pre>
        </Show>
      </div>
    </Show>
  );
}
