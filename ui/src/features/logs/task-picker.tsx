/** Choose one task run among very many, by writing a part of its name. */

import { For, Show, createMemo, createSignal, createUniqueId } from "solid-js";
import { Button, IconButton } from "~/components/button";
import { Icon } from "~/components/icon";
import { StateBadge } from "~/components/state-badge";
import type { TaskRow, TaskTable } from "~/data/tasks";
import { count } from "~/lib/numbers";
import { matching } from "./task-names";
import styles from "./task-picker.module.css";

const MOST = 50;

export function TaskPicker(props: {
  tasks: TaskTable;
  /** Id of the chosen one; "" for none. */
  chosen: string;
  onChoose: (id: string) => void;
}) {
  const [open, setOpen] = createSignal(false);
  const [text, setText] = createSignal("");
  const [active, setActive] = createSignal(0);
  const id = createUniqueId();
  let button: HTMLButtonElement | undefined;
  let input: HTMLInputElement | undefined;

  const name = () => {
    props.tasks.version();
    return props.tasks.row(props.chosen)?.name ?? "One task run";
  };
  const found = createMemo((): readonly TaskRow[] => {
    if (!open()) return [];
    props.tasks.version();
    return matching(props.tasks.rows(), text(), MOST);
  });
  const show = () => {
    setText("");
    setActive(0);
    setOpen(true);
    queueMicrotask(() => input?.focus());
  };
  const close = (back: boolean) => {
    setOpen(false);
    if (back) button?.focus();
  };
  const choose = (row: TaskRow | undefined) => {
    if (!row) return;
    props.onChoose(row.id);
    close(true);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) setActive((at) => Math.max(0, Math.min(found().length - 1, at + by)));
    else if (event.key === "Enter") choose(found()[active()]);
    else if (event.key === "Escape") close(true);
    else return;
    event.preventDefault();
    event.stopPropagation();
    queueMicrotask(() => document.getElementById(`${id}-${active()}`)?.scrollIntoView({ block: "nearest" }));
  };

  return (
    <div
      class={styles.picker}
      onFocusOut={(event) =>
        open() && !event.currentTarget.contains(event.relatedTarget as Node | null) && close(false)
      }
    >
      <Show
        when={props.chosen}
        fallback={
          <button
            ref={button}
            type="button"
            class={styles.button}
            aria-haspopup="listbox"
            aria-expanded={open()}
            onClick={() => (open() ? close(true) : show())}
          >
            All tasks
            <Icon name="down" size={12} />
          </button>
        }
      >
        <span class={styles.chosen} title={name().slice(0, 500)}>
          <Button kind="quiet" class={styles.name!} ref={button} onClick={() => (open() ? close(true) : show())}>
            <span class="cut">{name()}</span>
          </Button>
          <IconButton icon="cross" label="Lines of all tasks" onClick={() => props.onChoose("")} />
        </span>
      </Show>
      <Show when={open()}>
        <div class={styles.popup}>
          <input
            ref={input}
            class={styles.input}
            type="text"
            role="combobox"
            aria-label="Name of a task run"
            aria-expanded="true"
            aria-controls={`${id}-list`}
            aria-activedescendant={found().length ? `${id}-${active()}` : undefined}
            autocomplete="off"
            placeholder={`One of ${count(found() && props.tasks.size)} task runs…`}
            value={text()}
            onInput={(event) => {
              setText(event.currentTarget.value);
              setActive(0);
            }}
            onKeyDown={onKeyDown}
          />
          <div id={`${id}-list`} class={styles.list} role="listbox" aria-label="Task runs">
            <For each={found()}>
              {(row, at) => (
                <div
                  id={`${id}-${at()}`}
                  role="option"
                  class={styles.option}
                  aria-selected={at() === active()}
                  onPointerMove={() => setActive(at())}
                  onMouseDown={(event) => event.preventDefault()}
                  onClick={() => choose(row)}
                >
                  <StateBadge state={row.state} name={row.stateName} iconOnly />
                  <span class="cut">{row.name}</span>
                </div>
              )}
            </For>
          </div>
          <Show when={!found().length}>
            <p class={styles.none}>No task run has such a name.</p>
          </Show>
          <Show when={found().length === MOST}>
            <p class={styles.none}>The first {MOST}. Write more of the name.</p>
          </Show>
        </div>
      </Show>
    </div>
  );
}
