/** Why the run, and each task of it that is not done, is where it is; asked anew when something is told of it. */

import { A } from "@solidjs/router";
import { useQuery } from "@tanstack/solid-query";
import { For, Show, createMemo } from "solid-js";
import { CopyButton } from "~/components/copy-button";
import { Empty, ErrorNote, Loading } from "~/components/notice";
import { StateBadge } from "~/components/state-badge";
import { known, lookAgain } from "~/data/queries";
import { useRun } from "~/data/run";
import { answered, api } from "~/lib/http";
import { live } from "~/lib/live";
import { count, plural } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { throttled } from "~/lib/throttled";
import { commandsIn, grouped } from "./why-model";
import type { Reason } from "./why-model";
import styles from "./why.module.css";

/** Milliseconds between two questions: an answer looks at all tasks that are not done. */
const PERIOD = 1_500;
/** Reasons of one group that are shown. */
const MOST = 200;

export function Why() {
  const { id, run, isFinal } = useRun();
  const query = useQuery(() => ({
    queryKey: ["why", id()],
    queryFn: ({ signal }) => answered(api.GET("/api/flow-runs/{run}/why", { params: { path: { run: id() } }, signal })),
    staleTime: 0,
  }));
  const ask = throttled(lookAgain(query), PERIOD);
  live.hear("flow-runs", ask);
  live.hear("task-runs", ask);
  live.hear("reset", ask);
  const groups = createMemo(() => grouped(known(query)?.tasks ?? []));
  return (
    <Show
      when={known(query)}
      fallback={
        <Show when={query.error} fallback={<Loading what="the reasons" />}>
          {(problem) => <ErrorNote error={problem()} retry={() => void query.refetch()} />}
        </Show>
      }
    >
      {(found) => (
        <div class={styles.frame} tabIndex={0} role="region" aria-label="Why it is where it is">
          <section class={styles.run}>
            <p class={styles.state}>
              <StateBadge state={found().state} name={found().state_name} />
              <span class="soft">{run()?.name.slice(0, 200)}</span>
            </p>
            <For each={found().told}>{(told) => <Sentence text={told} />}</For>
            <Show when={found().advice}>
              {(advice) => (
                <div class={styles.advice}>
                  <Sentence text={advice()} />
                </div>
              )}
            </Show>
          </section>
          <For each={groups()}>
            {(group) => (
              <section class={styles.group}>
                <h2>
                  {group.title} <span class="soft number">{count(group.n)}</span>
                </h2>
                <p class="soft">{group.about}</p>
                <ul>
                  <For each={group.reasons.slice(0, MOST)}>{(reason) => <Row reason={reason} run={id()} />}</For>
                </ul>
                <Show when={group.reasons.length > MOST}>
                  <p class="soft">
                    {plural(group.reasons.length - MOST, "more reason")}:{" "}
                    <A href={paths.run(id(), "tasks")}>all tasks</A>
                  </p>
                </Show>
              </section>
            )}
          </For>
          <Show when={!groups().length}>
            <Empty icon="check" title={isFinal() ? "Nothing waits." : "No task waits."} />
          </Show>
        </div>
      )}
    </Show>
  );
}

function Row(props: { reason: Reason; run: string }) {
  const search = useSearch();
  return (
    <li class={styles.reason}>
      <span class={styles.badge}>
        <StateBadge state={props.reason.state_type} name={props.reason.state} />
      </span>
      <Show
        when={props.reason.count === 1 && props.reason.task_run}
        fallback={
          <A class={`${styles.subject} cut`} href={paths.run(props.run, "tasks", { name: props.reason.subject })}>
            {props.reason.subject}
          </A>
        }
      >
        {(task) => (
          <button
            type="button"
            class={`${styles.subject} cut`}
            title={props.reason.subject.slice(0, 500)}
            onClick={() => search.set({ task: task() }, { push: true })}
          >
            {props.reason.subject}
          </button>
        )}
      </Show>
      <span class={`${styles.times} number`}>{props.reason.count > 1 ? `× ${count(props.reason.count)}` : ""}</span>
      <span class={`${styles.why} told`}>{props.reason.why.slice(0, 1000)}</span>
    </li>
  );
}

/** A sentence of the server; what one can type in it is set apart, and copied. */
function Sentence(props: { text: string }) {
  return (
    <p class="told">
      <For each={commandsIn(props.text.slice(0, 3000))}>
        {(part) => (
          <Show when={part.isCommand} fallback={part.text}>
            <span class={styles.command}>
              <code>{part.text}</code>
              <CopyButton text={part.text} label={`Copy ${part.text}`} />
            </span>
          </Show>
        )}
      </For>
    </p>
  );
}
