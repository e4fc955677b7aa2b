import { Show, createEffect } from "solid-js";
import type { JSX } from "solid-js";
import { IconButton } from "./button";
import styles from "./dialog.module.css";

/** A dialog over the page. It keeps the focus, ends by Escape or a click beside it, and gives the focus back. */
export function Dialog(props: {
  open: boolean;
  title: string;
  onClose: () => void;
  children: JSX.Element;
  /** Buttons at its end. */
  actions?: JSX.Element;
  wide?: boolean;
}) {
  let dialog: HTMLDialogElement | undefined;
  // Text that is marked by dragging may end beside the dialog, which is no press there.
  let isBeside = false;
  createEffect(() => {
    if (props.open && dialog && !dialog.open) dialog.showModal();
    if (!props.open && dialog?.open) dialog.close();
  });
  return (
    <dialog
      ref={(element) => {
        dialog = element;
        queueMicrotask(() => props.open && !element.open && element.isConnected && element.showModal());
      }}
      class={styles.dialog}
      classList={{ [styles.wide!]: props.wide }}
      aria-label={props.open ? props.title : undefined}
      onClose={() => props.open && props.onClose()}
      onPointerDown={(event) => (isBeside = event.target === event.currentTarget)}
      onClick={(event) => isBeside && event.target === event.currentTarget && props.onClose()}
    >
      <Show when={props.open}>
        <div class={styles.box}>
          <header class={styles.head}>
            <h2 class="cut">{props.title}</h2>
            <IconButton icon="cross" label="Close" onClick={() => props.onClose()} />
          </header>
          <div class={styles.body}>{props.children}</div>
          <Show when={props.actions}>
            <footer class={styles.foot}>{props.actions}</footer>
          </Show>
        </div>
      </Show>
    </dialog>
  );
}
