/** Parts of the panel about a task run: its attempts, what it took, who takes it, what it made. */

import { A } from "@solidjs/router";
import { For, Show, createMemo, createSignal } from "solid-js";
import type { JSX } from "solid-js";
import { StateBadge } from "~/components/state-badge";
import { Time, Took } from "~/components/time";
import { createArtifacts } from "~/data/artifacts";
import { useRun } from "~/data/run";
import { useSubflowNames } from "~/data/subflows";
import type { TaskRow } from "~/data/tasks";
import type { Shapes } from "~/lib/http";
import { live } from "~/lib/live";
import { count } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { throttled } from "~/lib/throttled";
import type { FullTask } from "./task-data";
import { newerOf, takersOf } from "./task-model";
import styles from "./task-panel.module.css";

/** Links that are shown before somebody wants all of them. */
const FEW = 8;
const FEW_ATTEMPTS = 4;

export function Section(props: { title: string; n?: number; children: JSX.Element }) {
  return (
    <section class={styles.section}>
      <h3>
        {props.title}
        <Show when={props.n !== undefined}>
          <span class={`${styles.n} number`}>{count(props.n!)}</span>
        </Show>
      </h3>
      {props.children}
    </section>
  );
}

export function TaskAttempts(props: { attempts: readonly Shapes["AttemptShape"][] }) {
  const [all, setAll] = createSignal(false);
  const newestFirst = () => [...props.attempts].reverse().slice(0, all() ? undefined : FEW_ATTEMPTS);
  return (
    <Show when={props.attempts.length > 1}>
      <Section title="Attempts" n={props.attempts.length}>
        <ol class={styles.attempts}>
          <For each={newestFirst()}>
            {(one) => (
              <li>
                <span class="number soft">{one.attempt}</span>
                <StateBadge state={one.state} name={one.state_name} />
                <Took started={one.started} ended={one.ended} />
                <span class={styles.right}>
                  <Time at={one.started} exact />
                </span>
                <Show when={one.message}>
                  <p class={`${styles.why} told`} title={one.message.slice(0, 500)}>
                    {one.message.slice(0, 300)}
                  </p>
                </Show>
              </li>
            )}
          </For>
        </ol>
        <Show when={props.attempts.length > FEW_ATTEMPTS}>
          <button type="button" class={styles.link} onClick={() => setAll(!all())}>
            {all() ? "Fewer" : `${count(props.attempts.length - FEW_ATTEMPTS)} more`}
          </button>
        </Show>
      </Section>
    </Show>
  );
}

/** What it took the outcome of, or waits for. */
export function TaskInputs(props: { task: FullTask }) {
  const { tasks, id } = useRun();
  const rows = createMemo(() => {
    tasks().version();
    return props.task.upstream.map((one) => ({ id: one, row: tasks().row(one) }));
  });
  const names = useSubflowNames(id, () => rows().some((one) => !one.row));
  return (
    <Show when={rows().length}>
      <Section title="Takes the outcome of" n={rows().length}>
        <Links
          items={rows().map(({ id, row }) => ({
            id,
            row,
            name: row?.name ?? names().get(id) ?? id,
            isRun: names().has(id),
          }))}
        />
      </Section>
    </Show>
  );
}

/** Where it ran again after it had completed: as another task run, which counts from then on. */
export function TaskAgain(props: { task: FullTask }) {
  const search = useSearch();
  const { tasks } = useRun();
  const size = createMemo(() => (tasks().version(), tasks().size));
  const found = createMemo(() => (size(), newerOf(tasks().rows(), props.task)));
  return (
    <Show when={found()}>
      {(row) => (
        <p class={styles.again}>
          It was run again since:{" "}
          <button type="button" class={styles.link} onClick={() => search.set({ task: row().id })}>
            the newer task run
          </button>
        </p>
      )}
    </Show>
  );
}

/** Who took its outcome, or waits for it. Looked for twice a second at most, however many task runs change. */
export function TaskTakers(props: { id: string }) {
  const { tasks } = useRun();
  const [round, setRound] = createSignal(0);
  live.hear(
    "task-runs",
    throttled(() => setRound((n) => n + 1), 500),
  );
  const size = createMemo(() => (tasks().version(), tasks().size));
  const found = createMemo(() => (round(), size(), takersOf(tasks().rows(), props.id)));
  return (
    <Show when={found().length}>
      <Section title="Its outcome goes to" n={found().length}>
        <Links items={found().map((row) => ({ id: row.id, row, name: row.name, isRun: false }))} />
      </Section>
    </Show>
  );
}

function Links(props: { items: { id: string; row: TaskRow | undefined; name: string; isRun: boolean }[] }) {
  const search = useSearch();
  const { tasks } = useRun();
  const [all, setAll] = createSignal(false);
  const shown = () => (all() ? props.items.slice(0, 500) : props.items.slice(0, FEW));
  return (
    <ul class={styles.links}>
      <For each={shown()}>
        {(one) => (
          <li>
            <Show
              when={!one.isRun}
              fallback={
                <A class="cut" href={paths.run(one.id)}>
                  {one.name}
                </A>
              }
            >
              <Show when={one.row}>
                {(row) => <StateBadge iconOnly state={(tasks().version(), row().state)} name={row().stateName} />}
              </Show>
              <button
                type="button"
                class={`${styles.link} cut`}
                title={one.name.slice(0, 500)}
                onClick={() => search.set({ task: one.id })}
              >
                {one.name}
              </button>
            </Show>
          </li>
        )}
      </For>
      <Show when={props.items.length > FEW}>
        <li>
          <button type="button" class={styles.link} onClick={() => setAll(!all())}>
            {all() ? "Fewer" : `${count(props.items.length - FEW)} more`}
          </button>
        </li>
      </Show>
    </ul>
  );
}

/** What it made. */
export function TaskArtifacts(props: { id: string }) {
  const { id, run } = useRun();
  const artifacts = createArtifacts(id, (of) => !run()?.parent || of === id());
  const own = createMemo(() => artifacts.all().filter((one) => one.task === props.id));
  return (
    <Show when={own().length}>
      <Section title="Artifacts" n={own().length}>
        <ul class={styles.links}>
          <For each={own()}>
            {(one) => (
              <li>
                <A class="cut" href={paths.run(id(), "artifacts", { artifact: one.id })}>
                  {one.key || one.description.slice(0, 100) || one.kind}
                </A>
                <span class="soft">{one.kind}</span>
              </li>
            )}
          </For>
        </ul>
      </Section>
    </Show>
  );
}
