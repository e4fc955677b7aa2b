import { For, Show, createMemo } from "solid-js";
import { plural } from "~/lib/numbers";
import { diffLines, nearChanges } from "./text-diff-lines";
import styles from "./text-diff.module.css";

/** Lines that are drawn at the most. */
const MOST = 1_000;
/** Characters of a line that are shown. */
const WIDE = 2_000;

/** What changed from one text to another, line by line; what is the same is left out but for a few lines around. */
export function TextDiff(props: { before: string; after: string; label: string }) {
  const shown = createMemo(() => nearChanges(diffLines(props.before, props.after)));
  const changed = () => shown().some((line) => line && !(line.before && line.after));
  return (
    <Show when={changed()} fallback={<p class="soft">Both are the same.</p>}>
      <div class={styles.diff} role="region" aria-label={props.label} tabIndex={0}>
        <table>
          <tbody>
            <For each={shown().slice(0, MOST)}>
              {(line) => (
                <Show
                  when={line}
                  fallback={
                    <tr class={styles.left}>
                      <td colspan="4">…</td>
                    </tr>
                  }
                >
                  {(line) => (
                    <tr classList={{ [styles.gone!]: !line().after, [styles.came!]: !line().before }}>
                      <td class={styles.number}>{line().before || ""}</td>
                      <td class={styles.number}>{line().after || ""}</td>
                      <td class={styles.sign}>
                        {line().after ? (line().before ? "" : "+") : "-"}
                        <span class="sr-only">{line().after ? (line().before ? "" : "added") : "taken away"}</span>
                      </td>
                      <td class={styles.text} dir="auto">
                        {line().text.slice(0, WIDE)}
                      </td>
                    </tr>
                  )}
                </Show>
              )}
            </For>
          </tbody>
        </table>
        <Show when={shown().length > MOST}>
          <p class={styles.more}>And {plural(shown().length - MOST, "more line")}.</p>
        </Show>
      </div>
    </Show>
  );
}
