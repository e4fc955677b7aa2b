/** Asks whether something is meant, does it, and says what the server said. */

import { Show, createEffect, createSignal, on } from "solid-js";
import type { JSX } from "solid-js";
import { Button } from "~/components/button";
import { Dialog } from "~/components/dialog";
import { ErrorNote } from "~/components/notice";

export function Confirm(props: {
  open: boolean;
  title: string;
  /** What its button says. */
  does: string;
  kind?: "primary" | "danger";
  disabled?: boolean;
  act: () => Promise<void>;
  onClose: () => void;
  /** Beside the button. */
  other?: JSX.Element;
  children: JSX.Element;
}) {
  const [busy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal<Error | null>(null);
  createEffect(
    on(
      () => props.open,
      () => setProblem(null),
    ),
  );
  const act = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await props.act();
      props.onClose();
    } catch (error) {
      setProblem(error as Error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open={props.open}
      title={props.title}
      onClose={props.onClose}
      actions={
        <>
          {props.other}
          <Button onClick={() => props.onClose()}>Leave it</Button>
          <Button
            kind={props.kind ?? "primary"}
            busy={busy()}
            disabled={props.disabled}
            autofocus={!props.disabled}
            onClick={() => void act()}
          >
            {props.does}
          </Button>
        </>
      }
    >
      {props.children}
      <Show when={problem()}>{(problem) => <ErrorNote error={problem()} />}</Show>
    </Dialog>
  );
}
