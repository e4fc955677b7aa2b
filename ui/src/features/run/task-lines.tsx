/** The last lines that a task run logged. */

import { For, Show, createEffect } from "solid-js";
import { clock, exact, secondsOf } from "~/lib/times";
import { useLastLines } from "./task-data";
import { Section } from "./task-parts";
import styles from "./task-panel.module.css";

/** Colours of a terminal; the logs show them, here they would only be in the way. */
// eslint-disable-next-line no-control-regex
const COLOURS = /\u001b\[[0-9;]*[A-Za-z]/g;
const CHARACTERS = 2_000;

export function TaskLines(props: { id: string }) {
  const { lines, isRead, hasMore, error } = useLastLines(() => props.id);
  let box: HTMLDivElement | undefined;
  createEffect(() => {
    // The newest is what one looks for.
    if (lines().length && box) box.scrollTop = box.scrollHeight;
  });
  return (
    <Section title={hasMore() ? `Last ${lines().length} log lines` : "Log lines"}>
      <Show when={error()}>{(problem) => <p class="told">{problem().message}</p>}</Show>
      <Show
        when={lines().length}
        fallback={
          <Show when={isRead() && !error()}>
            <p class="soft">It logged nothing.</p>
          </Show>
        }
      >
        <div ref={box} class={styles.lines} role="log" aria-live="off" tabIndex={0} aria-label="Last log lines">
          <For each={lines()}>
            {(line) => (
              <p class={styles.line} data-level={line.level}>
                <span class={`${styles.at} number`} title={exact(secondsOf(line.at))}>
                  {clock(secondsOf(line.at)).slice(0, 8)}
                </span>
                <span class="told">
                  <Show when={line.level !== "INFO"}>
                    <b>{line.level} </b>
                  </Show>
                  {line.text.replace(COLOURS, "").slice(0, CHARACTERS)}
                </span>
              </p>
            )}
          </For>
        </div>
      </Show>
    </Section>
  );
}
