/** Above the table of tasks: which of them are shown. */

import { For, Show, createEffect, createSignal, on, onCleanup } from "solid-js";
import { Button } from "~/components/button";
import { Input, Select } from "~/components/field";
import { Icon } from "~/components/icon";
import { count } from "~/lib/numbers";
import { STATES, lookOf } from "~/lib/state";
import type { Arranged, Only, TasksView } from "./arranging";
import styles from "./tasks.module.css";

/** Milliseconds that one stops writing before it is looked for. */
const WRITTEN = 150;
/** Names that a list of them has at the most. */
const MOST_NAMES = 300;

const LABELS: Record<Only, [label: string, title: string]> = {
  failed: ["Went wrong", "Failed or crashed"],
  reused: ["Reused", "Taken from the cache, or kept from an earlier attempt of the run"],
  retried: ["Retried", "Tried more than once"],
  slow: [
    "Slow",
    "Took more than three times as long as half of the runs of the same task, and more than 0.1 s longer; of five or more",
  ],
};

export function TaskFilters(props: {
  view: TasksView;
  found: Arranged;
  set: (change: Partial<TasksView>) => void;
  searchBox: (element: HTMLInputElement) => void;
}) {
  const [text, setText] = createSignal(props.view.text);
  createEffect(on(() => props.view.text, setText, { defer: true }));
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));
  const write = (value: string, wait: number) => {
    setText(value);
    clearTimeout(timer);
    timer = setTimeout(() => props.set({ text: value }), wait);
  };
  const states = () => STATES.filter((state) => props.found.states[state] || props.view.states.includes(state));
  const toggleState = (state: string) =>
    props.set({
      states: props.view.states.includes(state)
        ? props.view.states.filter((one) => one !== state)
        : [...props.view.states, state],
    });
  const kinds = (): Only[] => {
    const { kinds, states } = props.found;
    // Where all that went wrong has one state, the chip of that state says it.
    const isOneState = !states.FAILED || !states.CRASHED;
    return (["failed", "reused", "retried", "slow"] as const).filter(
      (kind) => props.view.only === kind || (kinds[kind] > 0 && !(kind === "failed" && isOneState)),
    );
  };
  const names = (): [string, string][] => {
    const known = [...props.found.names].sort(([, a], [, b]) => b - a).slice(0, MOST_NAMES);
    if (props.view.name && !known.some(([name]) => name === props.view.name)) known.push([props.view.name, 0]);
    return [
      ["", "All tasks"],
      ...known.map(([name, n]): [string, string] => [name, `${name.slice(0, 60)} (${count(n)})`]),
    ];
  };
  return (
    <>
      <div class={styles.search}>
        <Icon name="search" class={styles.glass} />
        <Input
          ref={(element) => props.searchBox(element)}
          type="text"
          class={styles.box}
          aria-label="Search in names and messages"
          placeholder="Name or message…  /"
          autocomplete="off"
          spellcheck={false}
          maxLength={200}
          value={text()}
          onInput={(event) => write(event.currentTarget.value, WRITTEN)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.preventDefault();
            if (text()) write("", 0);
            else event.currentTarget.blur();
          }}
        />
      </div>
      <Show when={names().length > 2 || props.view.name}>
        <Select
          class={styles.names}
          aria-label="Task"
          value={props.view.name}
          options={names()}
          onChange={(event) => props.set({ name: event.currentTarget.value })}
        />
      </Show>
      <div class={styles.chips} role="group" aria-label="States">
        <For each={states()}>
          {(state) => (
            <button
              type="button"
              class={styles.chip}
              aria-pressed={props.view.states.includes(state)}
              onClick={() => toggleState(state)}
            >
              <span class={styles.sign} style={{ color: `var(${lookOf(state).colour})` }}>
                <Icon name={lookOf(state).icon} size={13} />
              </span>
              {lookOf(state).label}
              <span class={styles.many}>{count(props.found.states[state] ?? 0)}</span>
            </button>
          )}
        </For>
        <For each={kinds()}>
          {(kind) => (
            <button
              type="button"
              class={styles.chip}
              title={LABELS[kind][1]}
              aria-pressed={props.view.only === kind}
              onClick={() => props.set({ only: props.view.only === kind ? "" : kind })}
            >
              {LABELS[kind][0]}
              <span class={styles.many}>{count(props.found.kinds[kind])}</span>
            </button>
          )}
        </For>
      </div>
      <span class={styles.space} />
      <Button
        aria-pressed={props.view.grouped}
        title="Group by task (t)"
        onClick={() => props.set({ grouped: !props.view.grouped, turned: new Set() })}
      >
        Group
      </Button>
    </>
  );
}
