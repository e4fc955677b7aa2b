import { For, Show } from "solid-js";
import type { JSX } from "solid-js";
import { count } from "~/lib/numbers";
import { NOTHING } from "./values";
import type { Row, Value } from "./values";
import styles from "./compare.module.css";

/** A part of the table, with how much of it differs. */
export function Section(props: {
  title: string;
  runs: number;
  /** How many lines there are, and how many of them differ. */
  lines: number;
  different: number;
  only: boolean;
  /** What is said where no run has anything of this. */
  none: string;
  /** While something is being read: what is told is not all. */
  reading?: boolean;
  children: JSX.Element;
}) {
  const told = () => {
    if (!props.lines) return props.reading ? "Reading…" : props.none;
    if (props.runs < 2) return "";
    const same = props.different
      ? `${count(props.different)} of ${count(props.lines)} ${props.different === 1 ? "differs" : "differ"}`
      : "All the same";
    return props.reading ? `${same} so far` : same;
  };
  return (
    <tbody>
      <tr class={styles.section}>
        <th scope="rowgroup" colspan={props.runs + 1}>
          <span class={styles.stay}>
            <span>{props.title}</span>
            <span class={styles.told} classList={{ [styles.some!]: props.different > 0 }}>
              {told()}
            </span>
          </span>
        </th>
      </tr>
      {props.children}
    </tbody>
  );
}

/** One line: its label, and a cell for each run. Those that differ from the first run are marked. */
export function Line<T>(props: {
  label: JSX.Element;
  title?: string;
  cells: readonly T[];
  differs: boolean;
  isOther?: (cell: T, first: T) => boolean;
  children: (cell: T, place: number) => JSX.Element;
}) {
  const isOther = (cell: T) =>
    props.differs && (props.isOther ?? ((one: T, first: T) => one !== first))(cell, props.cells[0] as T);
  return (
    <tr classList={{ [styles.differs!]: props.differs }}>
      <th scope="row" class={styles.label} title={props.title?.slice(0, 500)}>
        <Show when={props.differs}>
          <span class={styles.mark} title="Differs" aria-hidden="true">
            ≠
          </span>
          <span class="sr-only">Differs: </span>
        </Show>
        {props.label}
      </th>
      <For each={props.cells}>
        {(cell, place) => (
          <td class={styles.cell} classList={{ [styles.other!]: place() > 0 && cell !== null && isOther(cell) }}>
            {props.children(cell, place())}
          </td>
        )}
      </For>
    </tr>
  );
}

/** Lines of plain values. */
export function ValueRows(props: { rows: readonly Row[] }) {
  return (
    <For each={props.rows}>
      {(row) => (
        <Line
          label={<span class="told">{row.label.slice(0, 300)}</span>}
          title={row.label}
          cells={row.values}
          differs={row.differs}
        >
          {(value) => <ValueText value={value} />}
        </Line>
      )}
    </For>
  );
}

/** Characters of a value that are shown; its title has some more. */
const SHOWN = 240;

export function ValueText(props: { value: Value | null }) {
  return (
    <Show when={props.value !== null}>
      <Show when={props.value !== NOTHING} fallback={<span class="soft">–</span>}>
        <span
          class={`${styles.value} told`}
          title={(props.value as string).length > 40 ? (props.value as string).slice(0, 500) : undefined}
        >
          {shortened(props.value as string)}
        </span>
      </Show>
    </Show>
  );
}

function shortened(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
