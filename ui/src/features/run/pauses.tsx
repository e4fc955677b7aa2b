/** What a run asks of people: each open question with its form, and who answered the others what. */

import { A } from "@solidjs/router";
import { For, Show, Suspense, createMemo, createSignal } from "solid-js";
import { Button } from "~/components/button";
import { CopyButton } from "~/components/copy-button";
import { Icon } from "~/components/icon";
import { Markdown } from "~/components/markdown";
import { ErrorNote } from "~/components/notice";
import { SchemaForm } from "~/components/schema-form";
import { isSchema } from "~/components/schema-fields";
import { Time } from "~/components/time";
import { tell } from "~/components/toasts";
import { useMe } from "~/data/me";
import { known } from "~/data/queries";
import type { FullRun } from "~/data/run";
import { paths } from "~/lib/paths";
import { forShell } from "./actions-model";
import { isAsking } from "./pauses-model";
import { usePauses, useRunActions } from "./run-api";
import type { Pause } from "./run-api";
import styles from "./pauses.module.css";

export function Pauses(props: { run: FullRun; root: FullRun | undefined }) {
  const query = usePauses(() => props.run);
  const all = createMemo(() => known(query) ?? []);
  const open = createMemo(() => all().filter((pause) => isAsking(pause, props.root?.state ?? props.run.state)));
  const answered = createMemo(() => all().filter((pause) => pause.answered !== null));
  return (
    <>
      <For each={open().map((pause) => `${pause.run} ${pause.key}`)}>
        {(which) => (
          <Show when={open().find((pause) => `${pause.run} ${pause.key}` === which)}>
            {(pause) => <OpenPause pause={pause()} run={props.run} />}
          </Show>
        )}
      </For>
      <Show when={answered().length}>
        <details class={styles.answered}>
          <summary>
            {answered().length === 1 ? "1 question was answered" : `${answered().length} questions were answered`}
          </summary>
          <ul>
            <For each={answered()}>
              {(pause) => (
                <li class="told">
                  <span class="soft">
                    {pause.description ? pause.description.slice(0, 300) : `Pause ${pause.key}`}:
                  </span>{" "}
                  <code>{answerTold(pause)}</code>{" "}
                  <span class="soft">
                    {pause.by ? `by ${pause.by.slice(0, 100)}, ` : ""}
                    <Time at={pause.answered} />
                  </span>
                </li>
              )}
            </For>
          </ul>
        </details>
      </Show>
    </>
  );
}

function answerTold(pause: Pause): string {
  if (pause.answer === null || pause.answer === undefined) return "go on";
  return (JSON.stringify(pause.answer) ?? "").slice(0, 500);
}

function OpenPause(props: { pause: Pause; run: FullRun }) {
  const me = useMe();
  const actions = useRunActions();
  const [problem, setProblem] = createSignal<Error | null>(null);
  const wanted = () => (props.pause.schema === null ? undefined : props.pause.schema);
  const answer = async (input: [] | [unknown]) => {
    setProblem(null);
    try {
      await actions.resume(props.pause.run, ...input);
      tell("Answered.");
    } catch (error) {
      setProblem(error as Error);
    }
  };
  return (
    <section class={styles.card} aria-label={`Pause ${props.pause.key}`} data-pause>
      <header class={styles.head}>
        <Icon name="pause" />
        <h2>It waits for {wanted() === undefined ? "somebody to say that it goes on" : "an answer"}</h2>
        <span class="soft">
          <Show when={props.pause.run !== props.run.id}>
            of a <A href={paths.run(props.pause.run)}>subflow run</A>,{" "}
          </Show>
          asked <Time at={props.pause.asked} />
          <Show when={props.pause.deadline}>
            , until <Time at={props.pause.deadline} />
          </Show>
        </span>
      </header>
      <Show when={props.pause.description}>
        <div class={styles.description}>
          {/* By itself: while what lays it out is loaded, the forms of other questions stay where they are. */}
          <Suspense fallback={<p class={`${styles.plain} told`}>{props.pause.description}</p>}>
            <Markdown text={props.pause.description} />
          </Suspense>
        </div>
      </Show>
      <Show when={props.pause.refused && !problem()}>
        <p class={styles.refused}>The last answer was not taken: {props.pause.refused}</p>
      </Show>
      <Show
        when={me.may("operate")}
        fallback={
          <p class="soft">
            Who may operate runs can answer it here, or with <code>nadi resume {forShell(props.run)}</code>
            <CopyButton text={`nadi resume ${forShell(props.run)}`} label="Copy the command" />
          </p>
        }
      >
        <Show
          when={wanted() !== undefined}
          fallback={
            <>
              <Show when={problem()}>{(problem) => <ErrorNote error={problem()} />}</Show>
              <Button kind="primary" busy={actions.busy()} onClick={() => void answer([])}>
                Go on
              </Button>
            </>
          }
        >
          <SchemaForm
            schema={wanted()}
            values={initial(props.pause)}
            submit="Answer"
            busy={actions.busy()}
            onSubmit={(value) => void answer([value])}
          >
            <Show when={problem()}>{(problem) => <ErrorNote error={problem()} />}</Show>
          </SchemaForm>
        </Show>
      </Show>
    </section>
  );
}

/** What the form begins with: what the flow said, else the defaults. */
function initial(pause: Pause): unknown {
  if (pause.initial !== null && pause.initial !== undefined) return pause.initial;
  return isSchema(pause.schema) && "default" in pause.schema ? pause.schema.default : undefined;
}
