/** Which tasks of a flow take the time, and which do not always work. */

import { For, Show, createMemo } from "solid-js";
import type { JSX } from "solid-js";
import { Button } from "~/components/button";
import { Select } from "~/components/field";
import { Answer, Empty } from "~/components/notice";
import { useTaskFigures } from "~/data/flow";
import type { FlowTasks, TaskFigures } from "~/data/flow";
import { count, percent, plural } from "~/lib/numbers";
import { useSearch } from "~/lib/search";
import { duration } from "~/lib/times";
import { flakiest, ranOf, slowest } from "./task-order";
import styles from "./tasks-part.module.css";

/** Runs that are looked at, as the URL may say. */
const RUNS = ["20", "50", "100"] as const;
/** Tasks that are shown of more, until all are asked for. */
const FEW = 15;
const TITLE = 500;

export function TasksPart(props: { flow: string }) {
  const search = useSearch();
  const runs = () => RUNS.find((one) => one === search.one("runs")) ?? "20";
  const { query, tasks } = useTaskFigures(
    () => props.flow,
    () => Number(runs()),
  );
  return (
    <Answer query={{ data: tasks(), error: query.error, refetch: query.refetch }} what="tasks" rows={8}>
      {(found) => (
        <Show
          when={found().tasks.length}
          fallback={
            <Empty icon="list" title={found().runs ? "Its runs called no task." : "No run of it has ended yet."} />
          }
        >
          <div class={styles.bar}>
            <label>
              Newest runs{" "}
              <Select
                value={runs()}
                options={RUNS.map((one) => [one, one] as const)}
                onChange={(event) =>
                  search.set({ runs: event.currentTarget.value === "20" ? "" : event.currentTarget.value })
                }
              />
            </label>
            <p class={styles.told}>{toldOf(found())}</p>
          </div>
          <div class={styles.tables}>
            <Slowest tasks={found().tasks} />
            <Flakiest tasks={found().tasks} />
          </div>
        </Show>
      )}
    </Answer>
  );
}

function toldOf(found: FlowTasks): string {
  const told = `${plural(found.task_runs, "task run")} of ${found.runs === 1 ? "the newest run" : `the newest ${count(found.runs)} runs`} that ended`;
  return found.more ? `${told}. There were more than are looked at.` : `${told}.`;
}

function Slowest(props: { tasks: readonly TaskFigures[] }) {
  const tasks = createMemo(() => slowest(props.tasks));
  return (
    <Table
      title="Slowest"
      hint="by the time that all their runs took together"
      rows={tasks()}
      nothing="None of them took any time."
      heads={["Share", "p50", "p95", "Runs", "Together"]}
    >
      {(task) => (
        <>
          <td>
            <span class={styles.share}>
              <span class={styles.track} aria-hidden="true">
                <span style={{ width: `${Math.max(1, 100 * task.share)}%` }} />
              </span>
              <span class="number">{percent(task.share, 1)}</span>
            </span>
          </td>
          <td>{task.p50 === null ? "–" : duration(task.p50)}</td>
          <td>{task.p95 === null ? "–" : duration(task.p95)}</td>
          <td title={task.cached ? `${count(task.cached)} of them were cached` : undefined}>
            {count(task.runs)}
            <Show when={task.cached}>
              <span class={styles.cached}> {count(task.cached)} cached</span>
            </Show>
          </td>
          <td>{duration(task.seconds)}</td>
        </>
      )}
    </Table>
  );
}

function Flakiest(props: { tasks: readonly TaskFigures[] }) {
  const tasks = createMemo(() => flakiest(props.tasks));
  return (
    <Table
      title="Flakiest"
      hint="by how often they failed or were tried again"
      rows={tasks()}
      nothing="None of them failed or was tried again."
      heads={["Failed", "Tried again", "Extra attempts", "Ran"]}
    >
      {(task) => (
        <>
          <td classList={{ [styles.bad!]: task.failures > 0 }}>
            <Part n={task.failures} of={ranOf(task)} />
          </td>
          <td classList={{ [styles.warn!]: task.retried > 0 }}>
            <Part n={task.retried} of={ranOf(task)} />
          </td>
          <td>{count(task.retries)}</td>
          <td>{count(ranOf(task))}</td>
        </>
      )}
    </Table>
  );
}

/** "3 (12 %)"; nothing where there is none. */
function Part(props: { n: number; of: number }) {
  return (
    <Show when={props.n} fallback={<span class="soft">–</span>}>
      {count(props.n)} <span class={styles.of}>{percent(props.n, props.of)}</span>
    </Show>
  );
}

function Table(props: {
  title: string;
  hint: string;
  rows: readonly TaskFigures[];
  heads: readonly string[];
  nothing: string;
  children: (task: TaskFigures) => JSX.Element;
}) {
  const search = useSearch();
  const isWhole = () => search.one("all") === "1";
  const shown = () => (isWhole() ? props.rows : props.rows.slice(0, FEW));
  return (
    <section class={styles.section} aria-label={props.title}>
      <h2>
        {props.title} <span class={styles.hint}>{props.hint}</span>
      </h2>
      <Show when={props.rows.length} fallback={<p class={styles.nothing}>{props.nothing}</p>}>
        <div class={styles.scroll} tabIndex={0} role="group" aria-label={`${props.title} tasks`}>
          <table class={styles.table}>
            <thead>
              <tr>
                <th scope="col">Task</th>
                <For each={props.heads}>{(head) => <th scope="col">{head}</th>}</For>
              </tr>
            </thead>
            <tbody>
              <For each={shown()}>
                {(task) => (
                  <tr>
                    <th scope="row" class="cut" title={task.task.slice(0, TITLE)}>
                      {task.task}
                    </th>
                    {props.children(task)}
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </div>
        <Show when={props.rows.length > FEW}>
          <Button kind="quiet" onClick={() => search.set({ all: isWhole() ? "" : "1" })}>
            {isWhole() ? "Show fewer" : `Show all ${plural(props.rows.length, "task")}`}
          </Button>
        </Show>
      </Show>
    </section>
  );
}
