/** What runs now, with how far it is. */

import { A } from "@solidjs/router";
import { Show } from "solid-js";
import { StateBadge } from "~/components/state-badge";
import { StateMeter } from "~/components/state-meter";
import { Took } from "~/components/time";
import type { Run, useRuns } from "~/data/runs";
import { short } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { isFinal } from "~/lib/state";
import { Nothing, Rows, Section } from "./section";
import styles from "./rows.module.css";

const TITLE = 500;
/** Runs that are shown; the list of runs has all. */
const SHOWN = 8;

export function Running(props: { data: ReturnType<typeof useRuns> }) {
  const href = () => paths.runs({ state: ["RUNNING", "CANCELLING"] });
  return (
    <Section
      title="Running now"
      count={props.data.runs().length}
      isMore={props.data.query.hasNextPage}
      aside={
        <Show when={props.data.runs().length > SHOWN}>
          <A href={href()}>All that run</A>
        </Show>
      }
    >
      <Rows
        rows={props.data.runs().slice(0, SHOWN)}
        rowKey={(run) => run.id}
        empty={<Nothing>{props.data.query.data ? "Nothing runs at the moment." : ""}</Nothing>}
      >
        {(run) => <RunningRow run={run()} />}
      </Rows>
    </Section>
  );
}

function RunningRow(props: { run: Run }) {
  const total = () => Object.values(props.run.tasks).reduce((sum, n) => sum + n, 0);
  const done = () => Object.entries(props.run.tasks).reduce((sum, [state, n]) => sum + (isFinal(state) ? n : 0), 0);
  return (
    <li class={styles.row}>
      <StateBadge state={props.run.state} name={props.run.state_name} iconOnly />
      <div class={styles.what}>
        <p class={styles.line}>
          <A
            class={`cut ${styles.name}`}
            href={paths.run(props.run.id)}
            title={props.run.name.slice(0, TITLE)}
            data-row
          >
            {props.run.name}
          </A>
          <A class={`cut ${styles.flow}`} href={paths.flow(props.run.flow)} title={props.run.flow.slice(0, TITLE)}>
            {props.run.flow}
          </A>
        </p>
        <Show when={total()}>
          <p class={styles.progress}>
            <StateMeter counts={props.run.tasks} />
            <span class="number soft" title={`${done()} of ${total()} task runs have ended`}>
              {short(done())}/{short(total())}
            </span>
          </p>
        </Show>
        <Show when={props.run.message}>
          {(message) => (
            <p class={`cut ${styles.message}`} title={message().slice(0, TITLE)}>
              {message().slice(0, TITLE)}
            </p>
          )}
        </Show>
      </div>
      <span class={styles.when}>
        <Took started={props.run.started} ended={props.run.ended} />
      </span>
    </li>
  );
}
