/** What the list of flows tells of each, in a row or, where there is little room, on a card. */

import { A } from "@solidjs/router";
import { Show } from "solid-js";
import { StateBadge } from "~/components/state-badge";
import { StateMeter } from "~/components/state-meter";
import { Time } from "~/components/time";
import type { Column } from "~/components/virtual-table";
import { meanOf, stateNameOf, stateOf, successOf, totalOf } from "~/data/flow-list";
import type { Flow } from "~/data/flow-list";
import { count, percent, plural } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { duration } from "~/lib/times";
import { OutcomeStrip } from "./outcome-strip";
import styles from "./flows.module.css";

/** Characters of a title, which a browser shows whole. */
const TITLE = 500;

function Name(props: { flow: Flow }) {
  return (
    <A class={`cut ${styles.name}`} href={paths.flow(props.flow.name)} title={props.flow.name.slice(0, TITLE)}>
      {props.flow.name}
    </A>
  );
}

function Last(props: { flow: Flow }) {
  const newest = () => props.flow.outcomes[0];
  return (
    <Show when={newest()} fallback={<span class="soft">–</span>}>
      {(newest) => (
        <A class={styles.last} href={paths.run(props.flow.newest)} title="The newest run">
          <StateBadge state={stateOf(newest())} name={stateNameOf(newest())} />
        </A>
      )}
    </Show>
  );
}

function Success(props: { flow: Flow }) {
  const ended = () => successOf(props.flow);
  return (
    <span
      class="number"
      classList={{ soft: ended().of === 0 }}
      title={`${count(ended().good)} of ${plural(ended().of, "run")} that ended by themselves completed`}
    >
      {percent(ended().good, ended().of)}
    </span>
  );
}

function Mean(props: { flow: Flow }) {
  const mean = () => meanOf(props.flow);
  return (
    <span class="number" classList={{ soft: mean() === undefined }}>
      {mean() === undefined ? "–" : duration(mean()!)}
    </span>
  );
}

export function columns(now: () => number): Column<Flow>[] {
  return [
    { key: "name", title: "Flow", width: "minmax(140px, 2fr)", sorts: true, cell: (flow) => <Name flow={flow} /> },
    {
      key: "last",
      title: "Last run",
      width: "minmax(112px, 132px)",
      cell: (flow) => <Last flow={flow} />,
    },
    {
      key: "newest",
      title: "When",
      width: "76px",
      right: true,
      sorts: true,
      cell: (flow) => <Time at={flow.newest_at} />,
    },
    {
      key: "outcomes",
      title: "Newest runs",
      width: "minmax(100px, 200px)",
      right: true,
      from: 620,
      cell: (flow) => <OutcomeStrip outcomes={flow.outcomes} now={now()} />,
    },
    {
      key: "states",
      title: "All runs",
      width: "minmax(80px, 1fr)",
      from: 860,
      head: () => <span class={styles.meter}>All runs</span>,
      cell: (flow) => (
        <span class={styles.meter}>
          <StateMeter counts={flow.runs} label="Runs" />
        </span>
      ),
    },
    {
      key: "runs",
      title: "Runs",
      width: "64px",
      right: true,
      sorts: true,
      cell: (flow) => (
        <A class={`number ${styles.quiet}`} href={paths.runs({ flow: flow.name })} title="List these runs">
          {count(totalOf(flow))}
        </A>
      ),
    },
    {
      key: "success",
      title: "Success",
      width: "72px",
      right: true,
      sorts: true,
      cell: (flow) => <Success flow={flow} />,
    },
    {
      key: "mean",
      title: "Mean",
      width: "76px",
      right: true,
      sorts: true,
      from: 700,
      cell: (flow) => <Mean flow={flow} />,
    },
  ];
}

export function FlowCard(props: { flow: Flow; now: number }) {
  return (
    <div class={styles.card}>
      <Name flow={props.flow} />
      <Last flow={props.flow} />
      <span class={styles.facts}>
        <span class="number">{plural(totalOf(props.flow), "run")}</span>
        <Success flow={props.flow} />
        <Mean flow={props.flow} />
        <Time at={props.flow.newest_at} />
      </span>
      <OutcomeStrip outcomes={props.flow.outcomes} now={props.now} />
    </div>
  );
}
