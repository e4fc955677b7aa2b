/** Runs of the flow, as rows of a list. */

import { A } from "@solidjs/router";
import { For, Show } from "solid-js";
import { Button } from "~/components/button";
import { ErrorNote } from "~/components/notice";
import { StateBadge } from "~/components/state-badge";
import { StateMeter } from "~/components/state-meter";
import { Time, Took } from "~/components/time";
import type { Run, useRuns } from "~/data/runs";
import { paths } from "~/lib/paths";
import { wentWrong } from "~/lib/state";
import styles from "./run-rows.module.css";

const TITLE = 500;

export function RunRows(props: {
  title: string;
  data: ReturnType<typeof useRuns>;
  most: number;
  href: string;
  more: string;
  onClear?: () => void;
}) {
  return (
    <section class={styles.section} aria-label={props.title}>
      <header class={styles.head}>
        <h2>{props.title}</h2>
        <Show when={props.onClear}>
          {(clear) => (
            <Button kind="quiet" icon="cross" onClick={() => clear()()}>
              Newest runs
            </Button>
          )}
        </Show>
        <A class={styles.all} href={props.href}>
          {props.more}
        </A>
      </header>
      <Show when={props.data.query.error}>
        {(error) => <ErrorNote error={error()} retry={() => void props.data.query.refetch()} />}
      </Show>
      <ul>
        <For
          each={props.data.runs().slice(0, props.most)}
          fallback={
            <Show when={!props.data.query.error}>
              <li class={styles.nothing}>{props.data.query.data ? "No run was made in this time." : "…"}</li>
            </Show>
          }
        >
          {(run) => <Row run={run} />}
        </For>
      </ul>
    </section>
  );
}

function Row(props: { run: Run }) {
  return (
    <li class={styles.row}>
      <span class={styles.state}>
        <StateBadge state={props.run.state} name={props.run.state_name} />
      </span>
      <A class={`cut ${styles.name}`} href={paths.run(props.run.id)} title={props.run.name.slice(0, TITLE)}>
        {props.run.name}
      </A>
      <span class={`cut ${styles.message}`} title={props.run.message.slice(0, TITLE)}>
        {wentWrong(props.run.state) ? props.run.message.slice(0, TITLE) : ""}
      </span>
      <span class={styles.meter}>
        <StateMeter counts={props.run.tasks} />
      </span>
      <span class={styles.took}>
        <Took started={props.run.started} ended={props.run.ended} />
      </span>
      <span class={styles.when}>
        <Time at={props.run.created} />
      </span>
    </li>
  );
}
