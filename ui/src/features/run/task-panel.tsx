/** What is known of the task run that the URL names, at the right of whatever part of the run is shown. */

import { A } from "@solidjs/router";
import { For, Show, createEffect, createMemo, on, onCleanup, onMount } from "solid-js";
import { Button, IconButton } from "~/components/button";
import { CopyButton } from "~/components/copy-button";
import { ErrorNote, Loading } from "~/components/notice";
import { StateBadge } from "~/components/state-badge";
import { Time, Took } from "~/components/time";
import { useRun } from "~/data/run";
import { useKeys } from "~/lib/keys";
import { plural } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { isFinal } from "~/lib/state";
import { createNow, duration, secondsOf } from "~/lib/times";
import { useDialogs } from "./dialogs";
import { Failure } from "./failure";
import { TaskAgain, TaskArtifacts, TaskAttempts, TaskInputs, TaskTakers } from "./task-parts";
import { TaskLines } from "./task-lines";
import { useTask } from "./task-data";
import type { FullTask } from "./task-data";
import { beside, reuseTold, waited } from "./task-model";
import styles from "./task-panel.module.css";

export function TaskPanel(props: { id: string; canRetry: boolean }) {
  const search = useSearch();
  const dialogs = useDialogs();
  const { tasks, needTasks, id: run } = useRun();
  needTasks();
  const { task, error, attempts, reload } = useTask(() => props.id);
  let panel!: HTMLElement;
  const close = () => search.set({ task: undefined });
  const go = (step: 1 | -1) => {
    const next = beside(tasks().rows(), props.id, step);
    if (next !== props.id) search.set({ task: next });
  };
  const place = createMemo(() => {
    tasks().version();
    const at = tasks().row(props.id)
      ? tasks()
          .rows()
          .findIndex((row) => row.id === props.id)
      : -1;
    return at < 0 ? "" : `${at + 1} of ${tasks().size}`;
  });
  useKeys(
    { keys: "Escape", does: "Close the task", run: close },
    { keys: "j", does: "Next task", run: () => go(1) },
    { keys: "k", does: "Previous task", run: () => go(-1) },
  );
  const onKeyDown = (event: KeyboardEvent) => {
    const isHere = event.target === event.currentTarget || (event.target as HTMLElement).closest("button, a");
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (!step || !isHere || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    go(step);
  };
  onMount(() => {
    // Where it covers the page, it has the focus as a page has; beside something else, that keeps it.
    const before = document.activeElement;
    if (getComputedStyle(panel).position === "fixed") panel.focus();
    onCleanup(() => before instanceof HTMLElement && panel.contains(document.activeElement) && before.focus());
  });
  createEffect(
    on(
      () => props.id,
      () => panel?.scrollTo(0, 0),
      { defer: true },
    ),
  );
  return (
    <aside
      ref={panel}
      class={styles.panel}
      aria-label={`Task run ${task()?.name.slice(0, 200) ?? ""}`}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <header class={styles.head}>
        <Show when={task()} fallback={<span class="soft">Task run</span>}>
          {(task) => <StateBadge state={task().state} name={task().state_name} />}
        </Show>
        <span class={styles.tools}>
          <span class={`${styles.place} number`}>{place()}</span>
          <IconButton icon="up" label="Previous task (k)" onClick={() => go(-1)} />
          <IconButton icon="down" label="Next task (j)" onClick={() => go(1)} />
          <IconButton icon="cross" label="Close (Escape)" onClick={close} />
        </span>
      </header>
      <Show
        when={task()}
        fallback={
          <Show when={error()} fallback={<Loading what="the task run" rows={6} />}>
            {(problem) => <ErrorNote error={problem()} retry={reload} />}
          </Show>
        }
      >
        {(task) => (
          <div class={styles.body}>
            <div class={styles.title}>
              <h2 class="told">{task().name}</h2>
              <CopyButton text={task().id} label="Copy the id of the task run" />
            </div>
            <Facts task={task()} />
            <Failure
              state={task().state}
              message={task().message}
              detail={task().detail}
              what={task().name.slice(0, 100)}
            />
            <Show when={props.canRetry && isFinal(task().state)}>
              <div>
                <Button icon="rerun" onClick={() => dialogs.ask("retry", task().id)}>
                  Run again from here…
                </Button>
              </div>
            </Show>
            <TaskAgain task={task()} />
            <TaskAttempts attempts={attempts()} />
            <TaskInputs task={task()} />
            <TaskTakers id={task().id} />
            <TaskArtifacts id={task().id} />
            <TaskLines id={task().id} />
            <p>
              <A href={paths.run(run(), "logs", { of: task().id })}>All its log lines</A>
            </p>
          </div>
        )}
      </Show>
    </aside>
  );
}

/** What there is to say of it in a word each. */
function Facts(props: { task: FullTask }) {
  const now = createNow(500);
  // Of one that ran again, its times are those of the last attempt, and say nothing of how long it waited.
  const waiting = () =>
    props.task.attempt > 1
      ? 0
      : waited(
          {
            created: secondsOf(props.task.created),
            started: secondsOf(props.task.started),
            state: props.task.state,
          },
          now(),
        );
  const reuse = () =>
    reuseTold({
      stateName: props.task.state_name,
      reason: props.task.reason,
      message: props.task.message,
      attempt: props.task.attempt,
    });
  return (
    <dl class={styles.facts}>
      <dt>Task</dt>
      <dd class="told">
        {props.task.task}
        <Show when={props.task.map_index !== null}>
          <span class="soft"> · item {props.task.map_index} of its map</span>
        </Show>
      </dd>
      <dt>Took</dt>
      <dd>
        <Took started={props.task.started} ended={props.task.ended} />
        <Show when={waiting() >= 0.001}>
          <span class="soft number">
            {" "}
            · {props.task.started ? "waited" : "waits"} {duration(waiting())}
          </span>
        </Show>
      </dd>
      <dt>Created</dt>
      <dd>
        <Time at={props.task.created} exact />{" "}
        <span class="soft">
          · <Time at={props.task.created} />
        </span>
      </dd>
      <dt>Started</dt>
      <dd>
        <Time at={props.task.started} exact />
      </dd>
      <dt>Ended</dt>
      <dd>
        <Time at={props.task.ended} exact />
      </dd>
      <Show when={props.task.due && !isFinal(props.task.state)}>
        <dt>Due</dt>
        <dd>
          <Time at={props.task.due} />
        </dd>
      </Show>
      <Show when={props.task.run !== props.task.root}>
        <dt>Called in</dt>
        <dd>
          <A href={paths.run(props.task.run)}>a subflow run</A>
        </dd>
      </Show>
      <Show when={props.task.attempt > 1}>
        <dt>Attempt</dt>
        <dd class="number">
          {plural(props.task.attempt - 1, "retry", "retries")}, attempt {props.task.attempt}
        </dd>
      </Show>
      <Show when={reuse() && reuse() !== props.task.message}>
        <dt>Reuse</dt>
        <dd class="told">{reuse()}</dd>
      </Show>
      <Show when={props.task.tags.length}>
        <dt>Tags</dt>
        <dd class={styles.tags}>
          <For each={props.task.tags}>{(tag) => <span class={`${styles.tag} cut`}>{tag}</span>}</For>
        </dd>
      </Show>
    </dl>
  );
}
