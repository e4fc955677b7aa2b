import { For, Show, createMemo, createSignal } from "solid-js";
import { Button } from "~/components/button";
import { lineLook } from "~/components/line-chart-looks";
import { count, plural } from "~/lib/numbers";
import { duration } from "~/lib/times";
import type { Compared } from "./compared";
import { isOther, taskLines } from "./durations";
import type { TaskLine, Took } from "./durations";
import { Line, Section } from "./section";
import { inOrder, kept } from "./values";
import styles from "./compare.module.css";

/** Tasks that are shown at once. */
const MOST = 50;

/** How long the tasks took in each run, the one that differs most first. */
export function TaskRows(props: { runs: readonly Compared[]; only: boolean }) {
  const [all, setAll] = createSignal(false);
  const lines = createMemo<TaskLine[]>((before) => kept(taskLines(props.runs.map((one) => one.took())), before), []);
  const found = createMemo(() => inOrder(lines(), props.only));
  const shown = () => (all() ? found() : found().slice(0, MOST));
  return (
    <Section
      title="Task durations"
      runs={props.runs.length}
      lines={lines().length}
      different={lines().filter((one) => one.differs).length}
      only={props.only}
      none="No run called a task"
      reading={props.runs.some((one) => !one.took() && !one.error() && !one.problem())}
    >
      <For each={shown()}>
        {(line) => (
          <Line
            label={<span class="told">{line.task.slice(0, 200)}</span>}
            title={line.task}
            cells={line.took}
            differs={line.differs}
            isOther={(one, first) => isOther(one ?? undefined, first ?? undefined)}
          >
            {(took, place) => <TookCell took={took} place={place} line={line} />}
          </Line>
        )}
      </For>
      <Show when={found().length > shown().length}>
        <tr>
          <td colspan={props.runs.length + 1} class={styles.cell}>
            <Button onClick={() => setAll(true)}>Show {plural(found().length - shown().length, "more task")}</Button>
          </td>
        </tr>
      </Show>
    </Section>
  );
}

/** All that a task took in a run, as a bar beside those of other runs, and what it took each time. */
function TookCell(props: { took: Took | undefined | null; place: number; line: TaskLine }) {
  const greatest = () => Math.max(...props.line.took.map((one) => one?.total ?? 0));
  const change = () => {
    const first = props.line.took[0]?.total;
    const own = props.took?.total;
    if (!props.place || !first || !own || !props.line.differs) return "";
    const percent = Math.round((100 * (own - first)) / first);
    return percent === 0
      ? ""
      : percent > 999
        ? `× ${(own / first).toFixed(0)}`
        : `${percent > 0 ? "+" : ""}${percent} %`;
  };
  return (
    <Show when={props.took !== null}>
      <Show when={props.took} fallback={<span class="soft">not called</span>}>
        {(took) => (
          <div class={styles.took}>
            <span class={styles.bar} aria-hidden="true">
              <span
                style={{
                  width: `${greatest() ? (100 * took().total) / greatest() : 0}%`,
                  background: `var(${lineLook(props.place).colour})`,
                }}
              />
            </span>
            <span class="number">
              {took().total ? duration(took().total) : "–"}
              <Show when={change()}>
                <span class={styles.change}> {change()}</span>
              </Show>
            </span>
            <span class={`${styles.each} number`}>
              <Show when={took().count > 1} fallback="once">
                {count(took().count)} times
                {took().p50 ? `, half within ${duration(took().p50)}` : ""}
              </Show>
            </span>
          </div>
        )}
      </Show>
    </Show>
  );
}
