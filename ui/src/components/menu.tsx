import { For, Show, createSignal, createUniqueId } from "solid-js";
import type { JSX } from "solid-js";
import type { IconName } from "~/lib/icons";
import { Icon } from "./icon";
import styles from "./menu.module.css";

export interface MenuItem {
  label: string;
  icon?: IconName;
  run: () => void;
  isDanger?: boolean;
  disabled?: boolean;
}

/** A button that opens a list of things to do; arrows move in it, Escape closes it. */
export function Menu(props: { label: string; button: JSX.Element; items: MenuItem[]; class?: string }) {
  const [open, setOpen] = createSignal(false);
  const id = createUniqueId();
  let button: HTMLButtonElement | undefined;
  let list: HTMLDivElement | undefined;
  const items = () => [...(list?.querySelectorAll<HTMLButtonElement>("[role=menuitem]:not(:disabled)") ?? [])];
  const show = () => {
    setOpen(true);
    queueMicrotask(() => items()[0]?.focus());
  };
  const close = (back = true) => {
    setOpen(false);
    if (back) button?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape") close();
    else if (event.key === "Tab") close(false);
    else if (to !== undefined) all[(to + all.length) % all.length]?.focus();
    else return;
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      class={`${styles.menu} ${props.class ?? ""}`}
      onFocusOut={(event) => open() && !event.currentTarget.contains(event.relatedTarget as Node) && close(false)}
    >
      <button
        ref={button}
        type="button"
        class={styles.button}
        aria-haspopup="menu"
        aria-expanded={open()}
        aria-controls={id}
        aria-label={props.label}
        title={props.label}
        onClick={() => (open() ? close() : show())}
      >
        {props.button}
      </button>
      <Show when={open()}>
        <div ref={list} id={id} class={styles.list} role="menu" aria-label={props.label} onKeyDown={onKeyDown}>
          <For each={props.items}>
            {(item) => (
              <button
                type="button"
                role="menuitem"
                class={styles.item}
                classList={{ [styles.danger!]: item.isDanger }}
                disabled={item.disabled}
                onClick={() => {
                  close();
                  item.run();
                }}
              >
                {item.icon && <Icon name={item.icon} />}
                <span>{item.label}</span>
              </button>
            )}
          </For>
        </div>
      </Show>
    </div>
  );
}
