import { Show, createSignal } from "solid-js";
import type { JSX } from "solid-js";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { ErrorNote } from "./notice";
import styles from "./asking.module.css";

/**
 * A dialog that does one thing when it is agreed to: it waits for it, shows what went wrong in itself, and closes when it
 * is done.
 */
export function Asking(props: {
  open: boolean;
  title: string;
  /** What the button says: the thing itself, such as "Remove". */
  action: string;
  isDanger?: boolean;
  /** Whether it can be agreed to; yes unless told otherwise. */
  ready?: boolean;
  run: () => Promise<unknown>;
  onClose: () => void;
  wide?: boolean;
  children: JSX.Element;
}) {
  const [busy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal<Error>();
  const close = () => {
    setProblem(undefined);
    props.onClose();
  };
  const agree = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy() || props.ready === false) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await props.run();
      close();
    } catch (error) {
      setProblem(error instanceof Error ? error : new Error(String(error)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog open={props.open} title={props.title} onClose={close} wide={props.wide}>
      <form onSubmit={agree} class={styles.asking}>
        {props.children}
        <Show when={problem()}>{(error) => <ErrorNote error={error()} />}</Show>
        <div class={styles.actions}>
          <Button onClick={close}>Not now</Button>
          <Button
            type="submit"
            kind={props.isDanger ? "danger" : "primary"}
            busy={busy()}
            disabled={props.ready === false}
          >
            {props.action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
