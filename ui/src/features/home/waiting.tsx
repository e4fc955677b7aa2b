/** What stands still, and why; what is late is first. */

import { A } from "@solidjs/router";
import { Show } from "solid-js";
import { Icon } from "~/components/icon";
import { StateBadge } from "~/components/state-badge";
import { Took } from "~/components/time";
import { plural } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { createNow } from "~/lib/times";
import type { WaitingRun } from "./home-data";
import { Nothing, Rows, Section } from "./section";
import { asks, isLate } from "./waiting-kinds";
import styles from "./rows.module.css";

const TITLE = 500;

export function Waiting(props: {
  title: string;
  runs: readonly WaitingRun[];
  /** How many there are besides. */
  more?: number;
  isCut?: boolean;
}) {
  return (
    <Section title={props.title} count={props.runs.length + (props.more ?? 0)} isMore={props.isCut}>
      <Rows rows={props.runs} rowKey={(one) => one.run.id}>
        {(one) => <WaitingRow one={one()} />}
      </Rows>
      <Show when={props.more}>
        {(more) => (
          <Nothing>
            <A href={paths.runs({ state: ["SCHEDULED", "PENDING", "PAUSED"] })}>And {plural(more(), "other run")}</A>
          </Nothing>
        )}
      </Show>
    </Section>
  );
}

function WaitingRow(props: { one: WaitingRun }) {
  const now = createNow(1000);
  const run = () => props.one.run;
  // What a paused run asks says more than that it is paused.
  const why = () => (asks(props.one) && run().message) || props.one.why.join(" ");
  return (
    <li class={styles.row}>
      <StateBadge state={run().state} name={run().state_name} iconOnly />
      <div class={styles.what}>
        <p class={styles.line}>
          <A class={`cut ${styles.name}`} href={paths.run(run().id)} title={run().name.slice(0, TITLE)} data-row>
            {run().name}
          </A>
          <A class={`cut ${styles.flow}`} href={paths.flow(run().flow)} title={run().flow.slice(0, TITLE)}>
            {run().flow}
          </A>
        </p>
        <p class={`told ${styles.why}`} title={props.one.why.join("\n").slice(0, TITLE)}>
          {why()}
        </p>
      </div>
      <span class={styles.when}>
        <Took started={props.one.since} ended={null} />
        <Show when={isLate(props.one, now())}>
          <span class={styles.late}>
            <Icon name="warning" size={13} />
            late
          </span>
        </Show>
      </span>
    </li>
  );
}
