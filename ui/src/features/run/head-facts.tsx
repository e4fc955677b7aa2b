/** What one wants to know of a run at a glance, in a line or two. */

import { A } from "@solidjs/router";
import { For, Show } from "solid-js";
import { Icon } from "~/components/icon";
import { StateMeter } from "~/components/state-meter";
import { Time, Took } from "~/components/time";
import type { FullRun } from "~/data/run";
import { count } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { countsInOrder, lookOf } from "~/lib/state";
import { commitTold, parametersTold } from "./actions-model";
import styles from "./head-facts.module.css";

export function HeadFacts(props: { run: FullRun; isOpen: boolean; onFold: () => void }) {
  const run = () => props.run;
  const counts = () => countsInOrder(run().tasks);
  return (
    <div class={styles.facts}>
      <A class={`${styles.flow} cut`} href={paths.flow(run().flow)} title={run().flow.slice(0, 500)}>
        {run().flow}
      </A>
      <Show
        when={run().started}
        fallback={
          <span>
            Created <Time at={run().created} />
          </span>
        }
      >
        <span>
          {run().ended ? "Took" : "So far"} <Took started={run().started} ended={run().ended} />
        </span>
        <span>
          {run().ended ? "Ended" : "Started"} <Time at={run().ended ?? run().started} />
        </span>
      </Show>
      <Show when={run().attempt > 1}>
        <A href={paths.run(run().id, "attempts")}>Attempt {run().attempt}</A>
      </Show>
      <Show when={counts().length}>
        <span class={styles.tasks}>
          <span class={styles.meter}>
            <StateMeter counts={run().tasks} />
          </span>
          <For each={counts()}>
            {([state, n]) => (
              <span class="number" title={`${count(n)} ${lookOf(state).label.toLowerCase()}`}>
                <Icon name={lookOf(state).icon} size={12} class={styles[state.toLowerCase()] ?? ""} />
                <span class="sr-only">{lookOf(state).label} </span>
                {count(n)}
              </span>
            )}
          </For>
        </span>
      </Show>
      <Show when={run().source?.host}>
        {(host) => (
          <span
            class={`${styles.host} cut`}
            title={`${host().slice(0, 200)}${run().holder ? `, ${run().holder.slice(0, 200)}` : ""}`}
          >
            on {host()}
          </span>
        )}
      </Show>
      <Show when={commitTold(run().source)}>
        {(commit) => (
          <span class="mono" title={run().source?.git_dirty ? "With changes that were not committed" : "Commit"}>
            {commit()}
          </span>
        )}
      </Show>
      <For each={run().tags.slice(0, 12)}>
        {(tag) => (
          <A class={`${styles.tag} cut`} href={paths.runs({ tag })} title={tag.slice(0, 500)}>
            {tag}
          </A>
        )}
      </For>
      <Show when={parametersTold(run().parameters)}>
        {(told) => (
          <span class={`${styles.parameters} cut`} title={told()}>
            {told()}
          </span>
        )}
      </Show>
      <button type="button" class={styles.fold} aria-expanded={props.isOpen} onClick={() => props.onFold()}>
        {props.isOpen ? "Less" : "More"}
        <Icon name={props.isOpen ? "up" : "down"} size={12} />
      </button>
    </div>
  );
}
