/** What stands around every part of the page of a run: what it is, how it is, what can be done, and what it asks. */

import { A } from "@solidjs/router";
import { For, Show, Suspense, createEffect, createMemo, on } from "solid-js";
import type { Accessor, JSX } from "solid-js";
import { CopyButton } from "~/components/copy-button";
import { Icon } from "~/components/icon";
import { ErrorNote, Loading } from "~/components/notice";
import { Page } from "~/components/page";
import { StateBadge } from "~/components/state-badge";
import { Tabs } from "~/components/tabs";
import { useMe } from "~/data/me";
import { useRun } from "~/data/run";
import type { FullRun } from "~/data/run";
import type { TaskTable } from "~/data/tasks";
import { count } from "~/lib/numbers";
import { TABS, paths } from "~/lib/paths";
import type { Tab } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { ActionBar } from "./action-bar";
import { ActionDialogs } from "./action-dialogs";
import { droppedTold, possible, requestsTold, whyNot } from "./actions-model";
import type { Action } from "./actions-model";
import { useAncestry } from "./ancestry";
import { Details } from "./details";
import { DialogsProvider, createDialogs } from "./dialogs";
import { Failure } from "./failure";
import { HeadFacts } from "./head-facts";
import { Pauses } from "./pauses";
import { TaskPanel } from "./task-panel";
import styles from "./run-frame.module.css";

const LABELS: Record<Tab, string> = {
  timeline: "Timeline",
  graph: "Graph",
  tasks: "Tasks",
  logs: "Logs",
  artifacts: "Artifacts",
  metrics: "Metrics",
  attempts: "Attempts",
  why: "Why",
};

export function RunFrame(props: { tab: Tab; children: JSX.Element }) {
  const { run, error, reload } = useRun();
  return (
    <Show
      when={run()}
      fallback={
        <Show when={error()} fallback={<Loading what="the run" />}>
          {(problem) => (
            <Page title="Run">
              <ErrorNote error={problem()} retry={reload} />
              <p>
                <A href={paths.runs()}>All runs</A>
              </p>
            </Page>
          )}
        </Show>
      }
    >
      {(run) => (
        <Frame run={run} tab={props.tab}>
          {props.children}
        </Frame>
      )}
    </Show>
  );
}

const NONE = new Set<Action>();

function Frame(props: { run: Accessor<FullRun>; tab: Tab; children: JSX.Element }) {
  const run = () => props.run();
  const { isDeleted } = useRun();
  const search = useSearch();
  const me = useMe();
  const ancestry = useAncestry(run);
  const dialogs = createDialogs();
  // Of the run itself there is something new all the time.
  const id = createMemo(() => run().id);
  createEffect(on(id, dialogs.forget, { defer: true }));
  const actions = createMemo(() => {
    const root = ancestry.root();
    return me.may("operate") && root && !isDeleted() ? possible(run(), root) : NONE;
  });
  const notices = () => [
    ...(isDeleted() ? ["It was deleted. What is shown is what it was."] : []),
    ...requestsTold(ancestry.root()?.requests ?? run().requests),
    ...(me.may("operate") && run().parent === null && whyNot(run()) ? [whyNot(run())] : []),
    ...(droppedTold(run().dropped) ? [droppedTold(run().dropped)] : []),
  ];
  return (
    <DialogsProvider value={dialogs}>
      <Page
        full
        title={`${run().name.slice(0, 100)} · ${LABELS[props.tab]}`}
        heading={
          <span class={styles.heading}>
            <StateBadge state={run().state} name={run().state_name} />
            <span class={`${styles.name} cut`} title={run().name.slice(0, 500)}>
              {run().name}
            </span>
            <CopyButton text={run().id} label="Copy the run's id" />
          </span>
        }
        aside={
          <Show when={me.may("operate") && ancestry.root()}>
            {(root) => <ActionBar run={run()} root={root()} possible={actions()} />}
          </Show>
        }
      >
        <div class={styles.head}>
          <Show when={run().parent !== null}>
            <nav class={styles.path} aria-label="Where this subflow run lies">
              <For each={ancestry.above()}>
                {(one) => (
                  <>
                    <A class="cut" href={paths.run(one.id, props.tab)} title={one.name.slice(0, 500)}>
                      {one.name}
                    </A>
                    <Icon name="right" size={12} />
                  </>
                )}
              </For>
              <span class="cut" aria-current="page">
                {run().name}
              </span>
            </nav>
          </Show>
          <HeadFacts
            run={run()}
            isOpen={search.one("more") === "1"}
            onFold={() => search.set({ more: search.one("more") === "1" ? undefined : "1" })}
          />
          {/* What a paused run says is what it asks, which stands below. */}
          <Failure
            state={run().state}
            message={run().state === "PAUSED" ? "" : run().message}
            detail={run().detail}
            what="the run"
          />
          <For each={notices()}>
            {(told) => (
              <p class={`${styles.notice} told`} role="status">
                <Icon name="info" size={14} />
                {told}
              </p>
            )}
          </For>
          <Show when={search.one("more") === "1"}>
            <Details run={run()} />
          </Show>
          <Suspense>
            <Pauses run={run()} root={ancestry.root()} />
          </Suspense>
        </div>
        <Tabs
          label="Parts of the run"
          tabs={TABS.map((tab) => ({
            href: paths.run(run().id, tab, kept(search)),
            label: <TabLabel tab={tab} run={run()} />,
            current: tab === props.tab,
          }))}
        />
        <div class={styles.below}>
          <div class={styles.part}>{props.children}</div>
          <Show when={search.one("task")}>
            {(task) => (
              <Suspense fallback={<Loading what="the task run" />}>
                <TaskPanel id={task()} canRetry={actions().has("retry")} />
              </Suspense>
            )}
          </Show>
        </div>
        <Show when={ancestry.root()}>{(root) => <ActionDialogs run={run()} root={root()} possible={actions()} />}</Show>
      </Page>
    </DialogsProvider>
  );
}

/** What stays in the URL when one goes to another part: the task that is looked at, and whether details are open. */
function kept(search: ReturnType<typeof useSearch>): Record<string, string> {
  return { task: search.one("task"), more: search.one("more") };
}

function sizeOf(table: TaskTable): number {
  table.version();
  return table.size;
}

/** The name of a part, and how much is in it where that is known anyway. */
function TabLabel(props: { tab: Tab; run: FullRun }) {
  const { tasks, tasksRead } = useRun();
  const n = () => {
    // The run counts its own; once they are read, those of its subflows are known too.
    if (props.tab === "tasks" && tasksRead()) return sizeOf(tasks());
    if (props.tab === "tasks") return Object.values(props.run.tasks).reduce((all, one) => all + one, 0);
    return props.tab === "attempts" && props.run.attempt > 1 ? props.run.attempt : 0;
  };
  return (
    <>
      {LABELS[props.tab]}
      <Show when={n() > 0}>
        <span class={`${styles.count} number`}>{count(n())}</span>
      </Show>
    </>
  );
}
