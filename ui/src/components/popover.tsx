import { Show, createEffect, createSignal, createUniqueId, onCleanup } from "solid-js";
import type { JSX } from "solid-js";
import styles from "./popover.module.css";

/** A button that opens a small panel below it, with things to fill in. Escape and a press beside it close it. */
export function Popover(props: {
  label: string;
  button: JSX.Element;
  /** Whether what is in it counts now. */
  active?: boolean;
  children: (close: () => void) => JSX.Element;
}) {
  const [open, setOpen] = createSignal(false);
  const id = createUniqueId();
  let box!: HTMLDivElement;
  let button!: HTMLButtonElement;
  let panel: HTMLDivElement | undefined;
  createEffect(() => {
    if (!open()) return;
    const beside = (event: PointerEvent) => !box.contains(event.target as Node) && setOpen(false);
    document.addEventListener("pointerdown", beside);
    onCleanup(() => document.removeEventListener("pointerdown", beside));
  });
  const close = () => {
    setOpen(false);
    button.focus();
  };
  const show = () => {
    setOpen(true);
    queueMicrotask(() => {
      // It stays within the window, however far right its button is. Before the focus, which would scroll to it.
      const over = (panel?.getBoundingClientRect().right ?? 0) - (innerWidth - 8);
      if (panel && over > 0) panel.style.transform = `translateX(${-over}px)`;
      panel?.querySelector<HTMLElement>("input, select, button, a")?.focus({ preventScroll: true });
    });
  };
  return (
    <div
      ref={box}
      class={styles.box}
      onFocusOut={(event) => {
        const to = event.relatedTarget as Node | null;
        if (open() && to && !box.contains(to)) setOpen(false);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open()) return;
        event.preventDefault();
        event.stopPropagation();
        close();
      }}
    >
      <button
        ref={button}
        type="button"
        class={styles.button}
        classList={{ [styles.active!]: props.active }}
        aria-haspopup="dialog"
        aria-expanded={open()}
        aria-controls={open() ? id : undefined}
        onClick={() => (open() ? close() : show())}
      >
        {props.button}
      </button>
      <Show when={open()}>
        <div ref={panel} id={id} class={styles.panel} role="dialog" tabIndex={-1} aria-label={props.label}>
          {props.children(close)}
        </div>
      </Show>
    </div>
  );
}
