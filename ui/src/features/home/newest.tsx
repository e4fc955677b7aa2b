/** Runs of the time that was chosen, or simply the newest. */

import { A } from "@solidjs/router";
import { Show } from "solid-js";
import { Loading } from "~/components/notice";
import { StateBadge } from "~/components/state-badge";
import { Time, Took } from "~/components/time";
import type { Run, useRuns } from "~/data/runs";
import { paths } from "~/lib/paths";
import { wentWrong } from "~/lib/state";
import { Nothing, Rows, Section } from "./section";
import styles from "./newest.module.css";

const TITLE = 500;

export function Newest(props: {
  title: string;
  data: ReturnType<typeof useRuns>;
  most: number;
  href: string;
  more: string;
}) {
  return (
    <Section title={props.title} aside={<A href={props.href}>{props.more}</A>}>
      <Rows
        rows={props.data.runs().slice(0, props.most)}
        rowKey={(run) => run.id}
        empty={
          <Show when={props.data.query.data} fallback={!props.data.query.error && <Loading what="runs" rows={6} />}>
            <Nothing>No run was made in this time.</Nothing>
          </Show>
        }
      >
        {(run) => <Row run={run()} />}
      </Rows>
    </Section>
  );
}

function Row(props: { run: Run }) {
  return (
    <li class={styles.row}>
      <StateBadge state={props.run.state} name={props.run.state_name} iconOnly />
      <A class={`cut ${styles.name}`} href={paths.run(props.run.id)} title={props.run.name.slice(0, TITLE)} data-row>
        {props.run.name}
      </A>
      <A class={`cut ${styles.flow}`} href={paths.flow(props.run.flow)} title={props.run.flow.slice(0, TITLE)}>
        {props.run.flow}
      </A>
      <span class={`cut ${styles.message}`} title={props.run.message.slice(0, TITLE)}>
        {wentWrong(props.run.state) ? props.run.message.slice(0, TITLE) : ""}
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
