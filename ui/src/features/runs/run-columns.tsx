/** What stands in the list of runs, by how much room there is. */

import { For, Show } from "solid-js";
import { StateBadge } from "~/components/state-badge";
import { StateMeter } from "~/components/state-meter";
import { Time, Took } from "~/components/time";
import type { Column } from "~/components/virtual-table";
import type { Run } from "~/data/runs";
import { short } from "~/lib/numbers";
import { below, paths } from "~/lib/paths";
import { wentWrong } from "~/lib/state";
import { messageOf, parametersTold, tasksDone } from "./words";
import styles from "./run-columns.module.css";

/** Characters of a title; browsers draw longer ones over the whole screen. */
const TITLE = 500;

interface Selecting {
  has: (run: Run) => boolean;
  toggle: (run: Run) => void;
  extend: (run: Run) => void;
}

function Picked(props: { run: Run; selecting: Selecting }) {
  return (
    <label class={styles.pick}>
      <input
        type="checkbox"
        tabIndex={-1}
        aria-label={`Select ${props.run.name.slice(0, 100)}`}
        checked={props.selecting.has(props.run)}
        onClick={(event) => {
          if (event.shiftKey) props.selecting.extend(props.run);
          else props.selecting.toggle(props.run);
          // A range may leave it as it is.
          const box = event.currentTarget;
          queueMicrotask(() => (box.checked = props.selecting.has(props.run)));
        }}
      />
    </label>
  );
}

/** Plain links, which the router takes too: a component for each would be most of what a row costs. */
function Name(props: { run: Run }) {
  return (
    <a
      class={`${styles.name} cut`}
      href={below(paths.run(props.run.id))}
      tabIndex={-1}
      title={props.run.name.slice(0, TITLE)}
    >
      {props.run.name}
    </a>
  );
}

function Tasks(props: { run: Run }) {
  return (
    <Show when={tasksDone(props.run)} fallback={<span class="soft">–</span>}>
      {(tasks) => (
        <>
          <StateMeter counts={props.run.tasks} />
          <span class={styles.done}>
            {short(tasks().done)}/{short(tasks().all)}
          </span>
        </>
      )}
    </Show>
  );
}

function Tags(props: { run: Run }) {
  return (
    <span class={styles.tags} title={props.run.tags.join(", ").slice(0, TITLE)}>
      <For each={props.run.tags}>{(tag) => <span class={styles.tag}>{tag.slice(0, 40)}</span>}</For>
    </span>
  );
}

function Message(props: { run: Run }) {
  return (
    <span
      class={`${wentWrong(props.run.state) ? styles.wrong : styles.message} cut`}
      title={messageOf(props.run).slice(0, TITLE)}
    >
      {messageOf(props.run)}
    </span>
  );
}

/** What the runs that are there have: columns for what none has are left out. */
export interface Had {
  tags: boolean;
  parameters: boolean;
  messages: boolean;
}

export function runColumns(had: Had, selecting: Selecting | undefined): Column<Run>[] {
  const columns: (Column<Run> | false)[] = [
    selecting !== undefined && {
      key: "select",
      title: "Selected",
      width: "18px",
      head: () => <span class="sr-only">Selected</span>,
      cell: (run) => <Picked run={run} selecting={selecting} />,
    },
    {
      key: "state",
      title: "State",
      width: "128px",
      cell: (run) => <StateBadge state={run.state} name={run.state_name} />,
    },
    { key: "name", title: "Run", width: "minmax(130px, 1fr)", cell: (run) => <Name run={run} /> },
    {
      key: "flow",
      title: "Flow",
      width: "minmax(90px, 0.8fr)",
      cell: (run) => (
        <a
          class={`${styles.flow} cut`}
          href={below(paths.flow(run.flow))}
          tabIndex={-1}
          title={run.flow.slice(0, TITLE)}
        >
          {run.flow}
        </a>
      ),
    },
    had.parameters && {
      key: "parameters",
      title: "Parameters",
      width: "minmax(110px, 1fr)",
      from: 1080,
      cell: (run) => (
        <span class={`${styles.parameters} cut`} title={parametersTold(run).slice(0, TITLE)}>
          {parametersTold(run)}
        </span>
      ),
    },
    had.tags && {
      key: "tags",
      title: "Tags",
      width: "minmax(70px, 0.7fr)",
      from: 960,
      cell: (run) => <Tags run={run} />,
    },
    {
      key: "tasks",
      title: "Tasks",
      width: "minmax(112px, 0.6fr)",
      from: 720,
      cell: (run) => <Tasks run={run} />,
    },
    had.messages && {
      key: "message",
      title: "Message",
      width: "minmax(130px, 2fr)",
      from: 860,
      cell: (run) => <Message run={run} />,
    },
    {
      key: "created",
      title: "Created",
      width: "70px",
      right: true,
      from: 600,
      cell: (run) => <Time at={run.created} />,
    },
    {
      key: "took",
      title: "Took",
      width: "68px",
      right: true,
      cell: (run) => <Took started={run.started} ended={run.ended} />,
    },
  ];
  return columns.filter((column) => column !== false);
}

/** Pixels of a card: one line more where runs have tags. */
export function cardHeight(had: Had): number {
  return had.tags ? 80 : 58;
}

/** A run in two lines and its tags in a third, where there is no room for columns. */
export function runCard(run: Run, selecting: Selecting | undefined) {
  return (
    <div class={styles.card} classList={{ [styles.plain!]: !selecting }}>
      <Show when={selecting}>{(selecting) => <Picked run={run} selecting={selecting()} />}</Show>
      <div class={styles.line}>
        <StateBadge state={run.state} name={run.state_name} iconOnly />
        <Name run={run} />
        <span class={styles.when}>
          <Took started={run.started} ended={run.ended} />
          <Time at={run.created} />
        </span>
      </div>
      <div class={styles.line}>
        <span class={`${styles.flow} cut`}>{run.flow}</span>
        <Show when={messageOf(run)} fallback={<span class={`${styles.parameters} cut`}>{parametersTold(run)}</span>}>
          <Message run={run} />
        </Show>
        <Show when={tasksDone(run)}>
          {(tasks) => (
            <span class={styles.meter}>
              <StateMeter counts={run.tasks} />
              <span class={styles.done}>
                {short(tasks().done)}/{short(tasks().all)}
              </span>
            </span>
          )}
        </Show>
      </div>
      <Show when={run.tags.length}>
        <Tags run={run} />
      </Show>
    </div>
  );
}
