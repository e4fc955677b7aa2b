/** Runs a task of the run again, with all that depends on it. */

import { For, Show, createMemo, createSignal } from "solid-js";
import { Field, Input } from "~/components/field";
import { Loading } from "~/components/notice";
import { StateBadge } from "~/components/state-badge";
import { tell } from "~/components/toasts";
import { useRun } from "~/data/run";
import type { FullRun } from "~/data/run";
import { count, plural } from "~/lib/numbers";
import { Confirm } from "./confirm";
import { useDialogs } from "./dialogs";
import { allTakers, toRunAgain } from "./task-model";
import type { RunActions } from "./run-api";
import styles from "./action-dialogs.module.css";

/** Task runs that are offered at once: whoever looks for another one writes its name. */
const MOST = 100;

export function RetryDialog(props: { run: FullRun; actions: RunActions }) {
  const dialogs = useDialogs();
  const { tasks, needTasks, tasksRead } = useRun();
  needTasks();
  const [text, setText] = createSignal("");
  const [chosen, setChosen] = createSignal(dialogs.task());
  // Rows are changed in place, so it is the version that says that something is new.
  const found = createMemo(() => (tasks().version(), toRunAgain(tasks().rows(), text())));
  const row = createMemo(() => (tasks().version(), tasks().row(chosen())), undefined, { equals: false });
  const again = createMemo(() => (row() ? allTakers(tasks().rows(), chosen()).size : 0));
  return (
    <Confirm
      open
      title="Run again from a task"
      does="Run again from it"
      disabled={!chosen()}
      onClose={dialogs.close}
      act={async () => {
        await props.actions.retry(props.run.id, chosen());
        tell(`It goes on from ${row()?.name.slice(0, 100) ?? "the task"}.`);
      }}
    >
      <p class={styles.line}>
        The run goes on in a new attempt. The task runs again, with all that it called and all that took its outcome;
        everything else keeps what it came to.
      </p>
      <Show when={!dialogs.task()}>
        <Field label="Task run">
          {(ids) => (
            <Input
              {...ids}
              type="search"
              placeholder="Search by name or id"
              value={text()}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
        <Show when={tasksRead()} fallback={<Loading what="task runs" />}>
          <div class={styles.tasks} role="radiogroup" aria-label="Task runs">
            <For each={found().slice(0, MOST)} fallback={<p class={styles.task}>No task run that has ended fits.</p>}>
              {(one) => (
                <label class={styles.task}>
                  <input
                    type="radio"
                    name="task"
                    value={one.id}
                    checked={chosen() === one.id}
                    onChange={() => setChosen(one.id)}
                  />
                  <span class={`${styles.taskName} cut`} title={one.name.slice(0, 500)}>
                    {one.name}
                  </span>
                  <StateBadge state={one.state} name={one.stateName} />
                </label>
              )}
            </For>
          </div>
          <Show when={found().length > MOST}>
            <p class="soft">{count(found().length - MOST)} more; search for them.</p>
          </Show>
        </Show>
      </Show>
      <Show when={row()}>
        {(row) => (
          <p class={styles.note} role="status">
            Runs again: <b class="told">{row().name.slice(0, 200)}</b>
            {again() ? `, and ${plural(again(), "task run")} that took its outcome, directly or through others` : ""}.
            What took it as a plain value is found when the run goes on.
          </p>
        )}
      </Show>
    </Confirm>
  );
}
