/** What opens from the filters: a choice of states, of a flow, of tags, and a parameter with its value. */

import { useQuery } from "@tanstack/solid-query";
import { For, Show, createMemo, createSignal, createUniqueId } from "solid-js";
import { Button } from "~/components/button";
import { Check, Input } from "~/components/field";
import { StateBadge } from "~/components/state-badge";
import type { Run } from "~/data/runs";
import { answered, api } from "~/lib/http";
import { count } from "~/lib/numbers";
import { STATES, isFinal, wentWrong } from "~/lib/state";
import { parameterNames, tagsOf } from "./suggestions";
import styles from "./filter-bar.module.css";

const SHORTCUTS: readonly [label: string, states: readonly string[]][] = [
  ["Not finished", STATES.filter((state) => !isFinal(state))],
  ["Went wrong", STATES.filter(wentWrong)],
];

export function StateFilter(props: { value: readonly string[]; onChange: (states: string[]) => void }) {
  const toggle = (state: string) =>
    props.onChange(STATES.filter((one) => (one === state) !== props.value.includes(one)));
  return (
    <div class={styles.panel}>
      <div class={styles.row}>
        <For each={SHORTCUTS}>
          {([label, states]) => <Button onClick={() => props.onChange([...states])}>{label}</Button>}
        </For>
      </div>
      <For each={STATES}>
        {(state) => (
          <label class={styles.choice}>
            <input type="checkbox" checked={props.value.includes(state)} onChange={() => toggle(state)} />
            <StateBadge state={state} />
          </label>
        )}
      </For>
    </div>
  );
}

/** Flows that are offered at once. */
const MOST = 12;

export function FlowFilter(props: { value: string; onChange: (flow: string) => void }) {
  const [text, setText] = createSignal("");
  const flows = useQuery(() => ({
    queryKey: ["flows", "offered", text().trim()],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/flows", { params: { query: { text: text().trim(), limit: MOST } }, signal })),
    placeholderData: (before) => before,
  }));
  // Asking for data that is not there yet would put the whole page in abeyance.
  const found = () => (flows.isSuccess ? flows.data.flows : undefined);
  let list: HTMLUListElement | undefined;
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const all = [...(list?.querySelectorAll<HTMLElement>("button") ?? [])];
    all[(all.indexOf(document.activeElement as HTMLElement) + step + all.length) % all.length]?.focus();
    event.preventDefault();
  };
  return (
    <form
      class={styles.panel}
      onKeyDown={onKeyDown}
      onSubmit={(event) => {
        event.preventDefault();
        const name = text().trim();
        const all = found() ?? [];
        if (name) props.onChange((all.find((flow) => flow.name === name) ?? all[0])?.name ?? name);
      }}
    >
      <Input
        aria-label="Name of the flow"
        placeholder="Name of the flow"
        autocomplete="off"
        spellcheck={false}
        maxLength={500}
        value={text()}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <ul ref={list} aria-label="Flows">
        <Show when={props.value}>
          <li>
            <button type="button" class={styles.option} onClick={() => props.onChange("")}>
              <span class="soft">Any flow</span>
            </button>
          </li>
        </Show>
        <For each={found()} fallback={<li class={styles.none}>{found() ? "No flow is called so." : "…"}</li>}>
          {(flow) => (
            <li>
              <button
                type="button"
                class={styles.option}
                aria-current={flow.name === props.value || undefined}
                onClick={() => props.onChange(flow.name)}
              >
                <span class="cut" title={flow.name.slice(0, 500)}>
                  {flow.name}
                </span>
                <span class="number soft">{count(Object.values(flow.runs).reduce((sum, n) => sum + n, 0))}</span>
              </button>
            </li>
          )}
        </For>
      </ul>
    </form>
  );
}

export function TagFilter(props: {
  value: readonly string[];
  runs: readonly Run[];
  onChange: (tags: string[]) => void;
}) {
  const [text, setText] = createSignal("");
  const offered = createMemo(() => [...new Set([...props.value, ...tagsOf(props.runs)])]);
  const toggle = (tag: string) =>
    props.onChange(props.value.includes(tag) ? props.value.filter((one) => one !== tag) : [...props.value, tag]);
  return (
    <form
      class={styles.panel}
      onSubmit={(event) => {
        event.preventDefault();
        const tag = text().trim();
        if (tag && !props.value.includes(tag)) toggle(tag);
        setText("");
      }}
    >
      <Input
        aria-label="Tag"
        placeholder="A tag, then Enter"
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        value={text()}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <For each={offered().filter((tag) => tag.toLowerCase().includes(text().trim().toLowerCase()))}>
        {(tag) => (
          <Check
            class={styles.choice}
            label={tag.slice(0, 200)}
            checked={props.value.includes(tag)}
            onChange={() => toggle(tag)}
          />
        )}
      </For>
      <p class={styles.hint}>Runs have all tags that are chosen.</p>
    </form>
  );
}

export function ParameterFilter(props: { runs: readonly Run[]; onAdd: (told: string) => void }) {
  const [name, setName] = createSignal("");
  const [value, setValue] = createSignal("");
  const id = createUniqueId();
  return (
    <form
      class={styles.panel}
      onSubmit={(event) => {
        event.preventDefault();
        if (name().trim()) props.onAdd(`${name().trim()}=${value()}`);
      }}
    >
      <div class={styles.pair}>
        <Input
          aria-label="Name of the parameter"
          placeholder="name"
          list={id}
          autocomplete="off"
          spellcheck={false}
          maxLength={200}
          required
          value={name()}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <span aria-hidden="true">=</span>
        <Input
          aria-label="Its value"
          placeholder="value"
          autocomplete="off"
          spellcheck={false}
          maxLength={500}
          value={value()}
          onInput={(event) => setValue(event.currentTarget.value)}
        />
      </div>
      <datalist id={id}>
        <For each={parameterNames(props.runs)}>{(one) => <option value={one} />}</For>
      </datalist>
      <p class={styles.hint}>
        The whole value, as JSON or as plain text: <code>rows=500</code>, <code>source=warehouse</code>.
      </p>
      <Button kind="primary" type="submit">
        Add
      </Button>
    </form>
  );
}
