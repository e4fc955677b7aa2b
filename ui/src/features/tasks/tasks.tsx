/** All task runs of a run, in a table. */

import { Show, createEffect, createMemo, createSignal, on } from "solid-js";
import { Button, IconButton } from "~/components/button";
import { Empty, ErrorNote, Loading } from "~/components/notice";
import { VirtualTable } from "~/components/virtual-table";
import { useRun } from "~/data/run";
import { useSubflowNames } from "~/data/subflows";
import { useKeys } from "~/lib/keys";
import { count, plural } from "~/lib/numbers";
import { save } from "~/lib/saving";
import { throttled } from "~/lib/throttled";
import { secondsOf } from "~/lib/times";
import { arrange, isGroup } from "./arranging";
import type { Facts, Key, Shown } from "./arranging";
import { csvOf } from "./csv";
import { cardOf, columnsOf } from "./task-columns";
import { TaskFilters } from "./task-filters";
import { useTasksView } from "./view";
import styles from "./tasks.module.css";

/** Milliseconds between two arrangements while task runs change; what is so of a row is shown at once. */
const PAUSE = 500;

export function Tasks() {
  const { id, run, tasks, needTasks, tasksRead, tasksError, isFinal, reload } = useRun();
  needTasks();
  const { view, set, clear, chosen, choose } = useTasksView();
  let searchBox: HTMLInputElement | undefined;

  const [round, setRound] = createSignal(0);
  const again = throttled(() => setRound((n) => n + 1), PAUSE);
  createEffect(on(() => tasks().version(), again, { defer: true }));

  const hasSubflows = createMemo(() => {
    round();
    return tasks()
      .rows()
      .some((row) => row.run !== id());
  });
  const subflows = useSubflowNames(id, () => hasSubflows() && !run()?.parent);
  const facts = createMemo((): Facts => {
    round();
    const now = run();
    return {
      now: Date.now() / 1000,
      resumed: now && now.attempt > 1 ? secondsOf(now.started) : 0,
      subflowOf: (row) => (row.run === id() ? "" : (subflows().get(row.run) ?? "…")),
    };
  });
  const found = createMemo(() => {
    round();
    return arrange(tasks().rows(), view(), facts());
  });
  const isGrouped = createMemo(() => view().grouped);
  const hasMessages = createMemo(() => found().rows.some((row) => row.message !== ""));
  const columns = createMemo(() =>
    columnsOf({ facts, longest: () => found().longest, hasSubflows, hasTasks: () => !isGrouped(), hasMessages }),
  );
  const isFiltered = () => Boolean(view().text || view().states.length || view().name || view().only);
  const total = () => {
    round();
    return tasks().size;
  };
  const isEmpty = () => tasksRead() && total() === 0;

  const open = (shown: Shown) => {
    if (!isGroup(shown)) return choose(shown.id);
    const turned = new Set(view().turned);
    if (!turned.delete(shown.name)) turned.add(shown.name);
    set({ turned });
  };
  const download = () =>
    save(new Blob([csvOf(found().rows, facts())], { type: "text/csv;charset=utf-8" }), `${run()?.name ?? id()}.csv`);
  useKeys(
    { keys: "/", does: "Search in names and messages of tasks", run: () => searchBox?.select() },
    { keys: "t", does: "Group by task, or not", run: () => set({ grouped: !view().grouped, turned: new Set() }) },
  );

  return (
    <section class={styles.tasks} aria-label="Tasks">
      <Show when={tasksError()}>{(error) => <ErrorNote error={error()} retry={reload} />}</Show>
      <Show
        when={total() || tasksRead()}
        fallback={<Show when={!tasksError()}>{<Loading what="tasks" rows={10} />}</Show>}
      >
        <Show
          when={!isEmpty()}
          fallback={
            <Empty icon="list" title={isFinal() ? "This run called no task." : "No task was called yet."}>
              <Show when={!isFinal()}>They are shown as they are called.</Show>
            </Empty>
          }
        >
          <div class={styles.tools}>
            <TaskFilters view={view()} found={found()} set={set} searchBox={(element) => (searchBox = element)} />
            <IconButton icon="download" label="Save what is shown as CSV" kind="plain" onClick={download} />
          </div>
          <p class={styles.facts}>
            <span role="status">
              {found().rows.length === total()
                ? plural(total(), "task run")
                : `${count(found().rows.length)} of ${plural(total(), "task run")}`}
              {tasksRead() ? "" : ", reading more…"}
            </span>
            <Show when={run()?.holder}>
              {(holder) => (
                <span
                  class="cut"
                  title="The process that has or had the run. Where a pool, Dask or Ray ran a task elsewhere is not recorded."
                >
                  Ran in {holder()}
                </span>
              )}
            </Show>
          </p>
          <VirtualTable
            label="Tasks"
            rows={found().shown}
            columns={columns()}
            rowKey={keyOf}
            rowHeight={30}
            rowChange={(row) => (isGroup(row) ? 0 : (tasks().version(), row.change))}
            card={cardOf}
            cardBelow={600}
            cardHeight={54}
            isSelected={(row) => !isGroup(row) && row.id === chosen()}
            onOpen={open}
            sorting={view().sort ? { key: view().sort, descending: view().descending } : undefined}
            onSort={({ key, descending }) => set({ sort: key as Key, descending })}
            listKey={`${id()} ${JSON.stringify([view().sort, view().descending, view().grouped])}`}
            empty={
              <Empty icon="filter" title="No task run fits.">
                <Show when={isFiltered()}>
                  <Button onClick={clear}>Show all tasks</Button>
                </Show>
              </Empty>
            }
          />
        </Show>
      </Show>
    </section>
  );
}

function keyOf(shown: Shown): string {
  return isGroup(shown) ? `group ${shown.name}` : shown.id;
}
