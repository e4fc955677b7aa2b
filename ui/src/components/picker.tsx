import { For, Show, createSignal, createUniqueId } from "solid-js";
import type { JSX } from "solid-js";
import { Icon } from "./icon";
import { StateBadge } from "./state-badge";
import styles from "./picker.module.css";

export interface Choice {
  id: string;
  label: string;
  about: JSX.Element;
  state?: { state: string; name: string };
  /** Whether it was picked already. */
  isPicked?: boolean;
}

/** Finding things by a part of their names and picking some, in a panel. Arrows move, Enter picks. */
export function Picker(props: {
  /** What is looked for: "Runs to add". */
  label: string;
  placeholder: string;
  text: string;
  onText: (text: string) => void;
  choices: readonly Choice[];
  onPick: (choice: Choice) => void;
  /** Why no more can be picked. */
  full?: string;
  /** In place of choices where there are none. */
  nothing: string;
}) {
  const id = createUniqueId();
  const [at, setAt] = createSignal(0);
  const here = () => Math.min(at(), Math.max(0, props.choices.length - 1));
  const pick = (choice: Choice | undefined) => choice && !(props.full && !choice.isPicked) && props.onPick(choice);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((here() + step + props.choices.length) % Math.max(1, props.choices.length));
    else if (event.key === "Enter") pick(props.choices[here()]);
    else return;
    event.preventDefault();
    document.getElementById(`${id}-${here()}`)?.scrollIntoView({ block: "nearest" });
  };
  return (
    <div class={styles.picker}>
      <div class={styles.entry}>
        <Icon name="search" />
        <input
          class={styles.input}
          role="combobox"
          aria-expanded="true"
          aria-autocomplete="list"
          aria-controls={id}
          aria-activedescendant={props.choices.length ? `${id}-${here()}` : undefined}
          aria-label={props.label}
          placeholder={props.placeholder}
          value={props.text}
          onInput={(event) => {
            setAt(0);
            props.onText(event.currentTarget.value);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div
        // A press on a choice leaves the focus where one writes.
        onMouseDown={(event) => event.preventDefault()}
        id={id}
        role="listbox"
        aria-label={props.label}
        aria-multiselectable="true"
        class={styles.choices}
      >
        <For each={props.choices}>
          {(choice, n) => (
            <div
              id={`${id}-${n()}`}
              role="option"
              class={styles.choice}
              classList={{ [styles.here!]: n() === here() }}
              aria-selected={choice.isPicked ?? false}
              aria-disabled={Boolean(props.full) && !choice.isPicked}
              onMouseMove={() => setAt(n())}
              onClick={() => pick(choice)}
            >
              <span class={styles.mark}>
                <Show when={choice.isPicked}>
                  <Icon name="check" size={14} />
                </Show>
              </span>
              <Show when={choice.state}>
                {(state) => <StateBadge state={state().state} name={state().name} iconOnly />}
              </Show>
              <span class={`${styles.label} cut`} title={choice.label.slice(0, 500)}>
                {choice.label}
              </span>
              <span class={styles.about}>{choice.about}</span>
            </div>
          )}
        </For>
      </div>
      <Show when={!props.choices.length}>
        <p class={styles.nothing}>{props.nothing}</p>
      </Show>
      <Show when={props.full}>
        <p class={styles.nothing} role="status">
          {props.full}
        </p>
      </Show>
    </div>
  );
}
