/** The columns of the table of tasks; a group has its own in the same places. */

import { Show } from "solid-js";
import type { JSX } from "solid-js";
import { Icon } from "~/components/icon";
import { StateBadge } from "~/components/state-badge";
import { StateMeter } from "~/components/state-meter";
import type { Column } from "~/components/virtual-table";
import { took } from "~/data/tasks";
import type { TaskRow } from "~/data/tasks";
import { count, plural, short } from "~/lib/numbers";
import { isFinal, lookOf } from "~/lib/state";
import { clock, createNow, duration, exact, utc } from "~/lib/times";
import { isCached, isGroup, isKept, waitedOf, whyOf } from "./arranging";
import type { Facts, Group, Shown } from "./arranging";
import styles from "./tasks.module.css";

const TITLE = 500;

/** What the cells ask of the table around them; it changes while they stand. */
export interface Around {
  facts: () => Facts;
  /** Seconds that the longest one took. */
  longest: () => number;
  hasSubflows: () => boolean;
  hasTasks: () => boolean;
  hasMessages: () => boolean;
}

export function columnsOf(around: Around): Column<Shown>[] {
  const both = (ofRow: (row: TaskRow) => JSX.Element, ofGroup?: (group: Group) => JSX.Element) => (shown: Shown) =>
    isGroup(shown) ? ofGroup?.(shown) : ofRow(shown);
  const columns: (Column<Shown> | false)[] = [
    {
      key: "state",
      title: "State",
      width: "128px",
      sorts: true,
      cell: both(
        (row) => <StateBadge state={row.state} name={row.stateName} />,
        (group) => <StateMeter counts={group.counts} label={group.name.slice(0, TITLE)} />,
      ),
    },
    {
      key: "name",
      title: "Name",
      width: "minmax(130px, 1.6fr)",
      sorts: true,
      cell: both((row) => <Name row={row} />, groupName),
    },
    around.hasTasks() && {
      key: "task",
      title: "Task",
      width: "minmax(80px, 1fr)",
      sorts: true,
      from: 760,
      cell: both((row) => <Cut text={row.task} soft />),
    },
    around.hasSubflows() && {
      key: "subflow",
      title: "Subflow",
      width: "minmax(80px, 1fr)",
      sorts: true,
      from: 900,
      cell: both((row) => <Cut text={around.facts().subflowOf(row)} soft />),
    },
    {
      key: "attempt",
      title: "Attempts",
      width: "76px",
      right: true,
      sorts: true,
      from: 640,
      cell: both(
        (row) => <Attempts row={row} />,
        (group) => (
          <Show when={group.retries}>
            <span
              class={styles.retried}
              title={plural(group.retries, "attempt beside the first", "attempts beside the first")}
            >
              +{short(group.retries)}
            </span>
          </Show>
        ),
      ),
    },
    {
      key: "started",
      title: "Started",
      width: "104px",
      right: true,
      sorts: true,
      from: 700,
      cell: both(
        (row) => <Clock at={row.started} />,
        (group) => <Clock at={group.started} />,
      ),
    },
    {
      key: "waited",
      title: "Waited",
      width: "78px",
      right: true,
      sorts: true,
      from: 840,
      cell: both((row) => <Waited row={row} />),
    },
    {
      key: "took",
      title: "Took",
      width: "164px",
      right: true,
      sorts: true,
      cell: both(
        (row) => <TookBar row={row} longest={around.longest()} />,
        (group) => (
          <span class={`${styles.spread} number`} title={`Half of them took ${duration(group.middle)} or less.`}>
            {group.longest ? `p50 ${duration(group.middle)}, max ${duration(group.longest)}` : ""}
          </span>
        ),
      ),
    },
    {
      key: "why",
      title: "Reused or run",
      width: "minmax(172px, 1fr)",
      sorts: true,
      // What went wrong matters more.
      from: around.hasMessages() ? 1_180 : 900,
      cell: both((row) => <Why row={row} facts={around.facts()} />),
    },
    around.hasMessages() && {
      key: "message",
      title: "Message",
      width: "minmax(90px, 1.6fr)",
      sorts: true,
      from: 1_020,
      cell: both((row) => <Cut text={row.message} soft />),
    },
  ];
  return columns.filter((column) => column !== false);
}

/** In place of columns where there is little room. */
export function cardOf(shown: Shown): JSX.Element {
  if (isGroup(shown)) {
    return (
      <span class={styles.card}>
        <span class={styles.cardLine}>
          {groupName(shown)}
          <span class="soft number">{shown.longest ? `max ${duration(shown.longest)}` : ""}</span>
        </span>
        <StateMeter counts={shown.counts} label={shown.name.slice(0, TITLE)} />
      </span>
    );
  }
  return (
    <span class={styles.card}>
      <span class={styles.cardLine}>
        <StateBadge state={shown.state} name={shown.stateName} iconOnly />
        <Name row={shown} />
        <Show when={shown.attempt > 1}>
          <Attempts row={shown} />
        </Show>
        <Ticking row={shown} />
      </span>
      <span class={styles.cardLine}>
        <span class="soft cut">{shown.message || shown.stateName || lookOf(shown.state).label}</span>
        <Clock at={shown.started} />
      </span>
    </span>
  );
}

function groupName(group: Group): JSX.Element {
  return (
    <>
      <Icon name={group.open ? "down" : "right"} size={13} />
      <span class="sr-only">{group.open ? "Fold" : "Unfold"}</span>
      <strong class="cut" title={group.name.slice(0, TITLE)}>
        {group.name}
      </strong>
      <span class={styles.many}>{count(group.rows.length)}</span>
    </>
  );
}

function Cut(props: { text: string; soft?: boolean }) {
  return (
    <span class="cut" classList={{ soft: props.soft }} title={props.text.slice(0, TITLE)}>
      {props.text.slice(0, TITLE)}
    </span>
  );
}

function Name(props: { row: TaskRow }) {
  return (
    <>
      <Cut text={props.row.name} />
      <Show when={props.row.mapIndex >= 0 && !props.row.name.endsWith(`-${props.row.mapIndex}`)}>
        <span class={styles.index} title={`Index ${count(props.row.mapIndex)} of a map`}>
          [{props.row.mapIndex}]
        </span>
      </Show>
    </>
  );
}

function Attempts(props: { row: TaskRow }) {
  return (
    <Show when={props.row.attempt > 1} fallback={<span class="soft number">{props.row.started ? "1" : ""}</span>}>
      <span class={styles.retried}>
        <Icon name="rerun" size={12} />
        {count(props.row.attempt)}
      </span>
    </Show>
  );
}

function Clock(props: { at: number }) {
  return (
    <Show when={props.at} fallback={<span class="soft">–</span>}>
      <time class="soft number" dateTime={utc(props.at)} title={`${exact(props.at)}\n${utc(props.at)}`}>
        {clock(props.at)}
      </time>
    </Show>
  );
}

function Waited(props: { row: TaskRow }) {
  const isOver = () => props.row.started > 0 || props.row.ended > 0;
  return (
    <Show
      when={props.row.attempt === 1}
      fallback={
        <span class="soft" title="It was tried more than once: its panel tells when each attempt began.">
          –
        </span>
      }
    >
      <Show when={!isOver()} fallback={<span class="soft number">{duration(waitedOf(props.row, 0))}</span>}>
        <Since at={props.row.created} />
      </Show>
    </Show>
  );
}

function Since(props: { at: number }) {
  const now = createNow(1000);
  return <span class="number">{duration(Math.max(0, now() - props.at))}</span>;
}

function Ticking(props: { row: TaskRow }) {
  const runs = () => props.row.started > 0 && !props.row.ended && !isFinal(props.row.state);
  return (
    <Show when={runs()} fallback={<span class="number">{props.row.started ? duration(took(props.row, 0)) : "–"}</span>}>
      <Tick since={props.row.started} />
    </Show>
  );
}

function Tick(props: { since: number }) {
  const now = createNow(200);
  return <span class="number">{duration(Math.max(0, now() - props.since))}</span>;
}

function TookBar(props: { row: TaskRow; longest: number }) {
  const share = () => {
    if (!props.row.started || !props.longest) return 0;
    const time = took(props.row, Date.now() / 1000);
    return Math.min(1, time / props.longest);
  };
  return (
    <>
      <span class={styles.track} aria-hidden="true">
        <span
          class={styles.bar}
          data-pattern={lookOf(props.row.state).pattern}
          style={{ width: `${100 * share()}%`, color: `var(${lookOf(props.row.state).colour})` }}
        />
      </span>
      <span class={styles.took}>
        <Ticking row={props.row} />
      </span>
    </>
  );
}

function Why(props: { row: TaskRow; facts: Facts }) {
  const told = () => whyOf(props.row, props.facts);
  const isReused = () => isCached(props.row) || isKept(props.row, props.facts);
  return (
    <span
      class="cut"
      classList={{ soft: told() === "Ran", [styles.reused!]: isReused() }}
      title={told().slice(0, TITLE)}
    >
      {told()}
    </span>
  );
}
