import { For, Show } from "solid-js";
import { Icon } from "~/components/icon";
import type { IconName } from "~/lib/icons";
import type { Figures } from "./figures";
import { verdictOf } from "./verdict";
import type { OpenRuns, Verdict } from "./verdict";
import styles from "./verdict-line.module.css";

const ICONS: Record<Verdict["tone"], IconName> = { good: "check", bad: "cross", waiting: "pause", quiet: "clock" };

/** The sentence at the head of the page. */
export function VerdictLine(props: {
  /** `undefined` until they are known. */
  figures: Figures | undefined;
  open: OpenRuns;
  when: string;
}) {
  return (
    <Show when={props.figures} fallback={<span class={styles.line}>Home</span>}>
      {(figures) => {
        const verdict = () => verdictOf(figures(), props.open, props.when);
        return (
          <span class={styles.line}>
            <span class={styles.head}>
              <span class={styles.sign} data-tone={verdict().tone}>
                <Icon name={ICONS[verdict().tone]} size={18} />
              </span>
              {verdict().text}
            </span>
            <For each={verdict().more}>{(more) => <span class={styles.more}>{more}</span>}</For>
          </span>
        );
      }}
    </Show>
  );
}
