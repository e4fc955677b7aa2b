/** What is told of each run itself: how it went, what it was given, and from which code it came. */

import { For, Show, createMemo } from "solid-js";
import { Took } from "~/components/time";
import { StateBadge } from "~/components/state-badge";
import { StateMeter } from "~/components/state-meter";
import { count } from "~/lib/numbers";
import { lookOf } from "~/lib/state";
import { exact, secondsOf } from "~/lib/times";
import type { Compared, FullRun } from "./compared";
import { Line, Section, ValueRows } from "./section";
import { inOrder, kept, row, rowsByPath } from "./values";
import type { Row } from "./values";
import styles from "./compare.module.css";

interface RowsProps {
  runs: readonly Compared[];
  only: boolean;
}

/** A line of what `tell` says of each run; nothing of those that are gone. */
function about(runs: readonly Compared[], label: string, tell: (run: FullRun) => string | null | undefined): Row {
  return row(
    label,
    runs.map((one) => {
      const run = one.run();
      return run ? (tell(run) ?? undefined) : null;
    }),
  );
}

const isReading = (runs: readonly Compared[]) => runs.some((one) => !one.run() && !one.error());
const different = (rows: readonly Row[]) => rows.filter((one) => one.differs).length;

export function RunRows(props: RowsProps) {
  const state = createMemo(() => about(props.runs, "State", (run) => run.state_name || lookOf(run.state).label));
  const tasks = createMemo(() => about(props.runs, "Tasks", (run) => JSON.stringify(Object.entries(run.tasks).sort())));
  const took = createMemo(() => about(props.runs, "Took", (run) => run.duration.toFixed(1)));
  const plain = createMemo(() => [
    about(props.runs, "Message", (run) => run.message),
    about(props.runs, "Flow", (run) => run.flow),
    about(props.runs, "Attempts", (run) => count(run.attempt)),
    about(props.runs, "Subflow of", (run) => run.parent),
  ]);
  const shown = (one: Row) => one.differs || !props.only;
  // When each was made says which is which, and is never what somebody looks for.
  const created = () => props.runs.map((one) => secondsOf(one.run()?.created));
  const all = () => [state(), tasks(), took(), ...plain()];
  return (
    <Section
      title="Run"
      runs={props.runs.length}
      lines={all().length}
      different={different(all())}
      only={props.only}
      none=""
      reading={isReading(props.runs)}
    >
      <Show when={shown(state())}>
        <Line label="State" cells={state().values} differs={state().differs}>
          {(_, place) => (
            <Show when={props.runs[place]?.run()}>
              {(run) => <StateBadge state={run().state} name={run().state_name} />}
            </Show>
          )}
        </Line>
      </Show>
      <Show when={shown(took())}>
        <Line label="Took" cells={took().values} differs={took().differs}>
          {(_, place) => (
            <Show when={props.runs[place]?.run()}>{(run) => <Took started={run().started} ended={run().ended} />}</Show>
          )}
        </Line>
      </Show>
      <Show when={shown(tasks())}>
        <Line label="Tasks" cells={tasks().values} differs={tasks().differs}>
          {(_, place) => (
            <Show when={props.runs[place]?.run()}>
              {(run) => (
                <span class={styles.tasks}>
                  <StateMeter counts={run().tasks} />
                  <span class="number soft">
                    {count(Object.values(run().tasks).reduce((sum, one) => sum + one, 0))}
                  </span>
                </span>
              )}
            </Show>
          )}
        </Line>
      </Show>
      <ValueRows rows={inOrder(plain(), props.only).filter((one) => one.differs || one.label !== "Subflow of")} />
      <Show when={!props.only}>
        <Line label="Created" cells={created()} differs={false}>
          {(at) => <span class="number">{at ? exact(at) : ""}</span>}
        </Line>
      </Show>
    </Section>
  );
}

export function ParameterRows(props: RowsProps) {
  const rows = createMemo<Row[]>(
    (before) => kept(rowsByPath(props.runs.map((one) => one.run()?.parameters ?? null)), before),
    [],
  );
  return (
    <Section
      title="Parameters"
      runs={props.runs.length}
      lines={rows().length}
      different={different(rows())}
      only={props.only}
      none="No run was given any"
      reading={isReading(props.runs)}
    >
      <ValueRows rows={inOrder(rows(), props.only)} />
    </Section>
  );
}

export function TagRows(props: RowsProps) {
  const line = createMemo(() => about(props.runs, "Tags", (run) => JSON.stringify(run.tags.toSorted())));
  const hasAny = () => props.runs.some((one) => one.run()?.tags.length);
  return (
    <Show when={hasAny() && (line().differs || !props.only)}>
      <Section
        title="Tags"
        runs={props.runs.length}
        lines={1}
        different={different([line()])}
        only={props.only}
        none=""
      >
        <Line label="Tags" cells={line().values} differs={line().differs}>
          {(_, place) => (
            <span class={styles.tags}>
              <For each={props.runs[place]?.run()?.tags ?? []}>
                {(tag) => (
                  <span class={`${styles.tag} cut`} title={tag.slice(0, 500)}>
                    {tag}
                  </span>
                )}
              </For>
            </span>
          )}
        </Line>
      </Section>
    </Show>
  );
}

export function CodeRows(props: RowsProps) {
  const rows = createMemo<Row[]>(
    (before) =>
      kept(
        [
          about(props.runs, "Version", (run) => run.version),
          about(props.runs, "Commit", (run) => {
            const { git_commit: commit, git_dirty: isDirty } = run.source ?? {};
            return commit ? `${commit}${isDirty ? " and changes that are not committed" : ""}` : undefined;
          }),
          about(props.runs, "Entry point", (run) => run.entrypoint || run.source?.entrypoint),
          about(props.runs, "Python", (run) => run.source?.python_version),
          about(props.runs, "Interpreter", (run) => run.source?.interpreter),
          about(props.runs, "Host", (run) => run.source?.host),
          about(props.runs, "Folder", (run) => run.source?.working_folder),
          about(props.runs, "Started by", (run) => run.source?.command_line.join(" ")),
        ],
        before,
      ),
    [],
  );
  return (
    <Section
      title="Code"
      runs={props.runs.length}
      lines={rows().length}
      different={different(rows())}
      only={props.only}
      none=""
      reading={isReading(props.runs)}
    >
      <ValueRows rows={inOrder(rows(), props.only)} />
    </Section>
  );
}
