/** The dialogs that ask before something is done to the run. */

import { useNavigate } from "@solidjs/router";
import { Show, createSignal } from "solid-js";
import { Check, Field, Input } from "~/components/field";
import { Button } from "~/components/button";
import { tell } from "~/components/toasts";
import type { FullRun } from "~/data/run";
import { plural } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { isFinal } from "~/lib/state";
import { AgainDialog } from "./again-dialog";
import { Confirm } from "./confirm";
import { useDialogs } from "./dialogs";
import type { Asking } from "./dialogs";
import { RetryDialog } from "./retry-dialog";
import { useRunActions } from "./run-api";
import type { Action } from "./actions-model";
import styles from "./action-dialogs.module.css";

/** Seconds that a process gets to end a run by itself. */
const GRACE = 10;

export function ActionDialogs(props: { run: FullRun; root: FullRun; possible: Set<Action> }) {
  const dialogs = useDialogs();
  const actions = useRunActions();
  const navigate = useNavigate();
  const [force, setForce] = createSignal(false);
  const [grace, setGrace] = createSignal(String(GRACE));
  const isOpen = (what: Asking) => dialogs.asking() === what && props.possible.has(what === "same" ? "again" : what);
  const isSub = () => props.run.parent !== null;
  const name = () => props.root.name.slice(0, 100);
  const seconds = () => Number(grace());
  const failed = () =>
    (props.root.tasks.failed ?? 0) + (props.root.tasks.crashed ?? 0) + (props.root.tasks.cancelled ?? 0);
  return (
    <>
      <Confirm
        open={isOpen("cancel")}
        title={`Cancel ${name()}?`}
        does={force() ? "Cancel, and end its process" : "Cancel it"}
        kind="danger"
        disabled={force() && !(seconds() >= 0 && seconds() <= 3600)}
        onClose={dialogs.close}
        act={async () => {
          const told = await actions.cancel(props.run.id, { force: force(), grace: force() ? seconds() : GRACE });
          tell(isFinal(told.state) ? "It is cancelled." : "It was asked to stop.");
        }}
      >
        <Show when={isSub()}>
          <p class={styles.line}>This is a subflow run: the outermost run is cancelled, with all that is below it.</p>
        </Show>
        <p class={styles.line}>
          Its process is asked to stop. What runs is interrupted where it can be; what is finished stays, and the run
          can be resumed later.
        </p>
        <Check
          label="End its process if it does not stop"
          checked={force()}
          onChange={(event) => setForce(event.currentTarget.checked)}
        />
        <Show when={force()}>
          <div class={styles.grace}>
            <Field
              label="Seconds that it gets before"
              hint="0 to 3600. Only a process on the server's machine is ended."
            >
              {(ids) => (
                <Input
                  {...ids}
                  type="number"
                  min={0}
                  max={3600}
                  value={grace()}
                  onInput={(event) => setGrace(event.currentTarget.value)}
                />
              )}
            </Field>
          </div>
        </Show>
      </Confirm>
      <Confirm
        open={isOpen("resume")}
        title={`Resume ${name()}?`}
        does="Resume"
        onClose={dialogs.close}
        act={async () => {
          await actions.resume(props.run.id);
          tell("It goes on in a process of its own.");
        }}
      >
        <p class={styles.line}>
          It goes on as its attempt {props.root.attempt + (isFinal(props.root.state) ? 1 : 0)}, with the code as it is
          now. What is finished is kept and not run again
          <Show when={failed()}>
            ; {plural(failed(), "task run")} that did not complete {failed() === 1 ? "is" : "are"} run again
          </Show>
          .
        </p>
      </Confirm>
      <Show when={isOpen("retry")}>
        <RetryDialog run={props.run} actions={actions} />
      </Show>
      <Confirm
        open={isOpen("same")}
        title={`Run ${props.run.flow.slice(0, 100)} again?`}
        does="Start"
        onClose={dialogs.close}
        other={
          <Button kind="quiet" onClick={() => dialogs.ask("again")}>
            Change parameters…
          </Button>
        }
        act={async () => {
          const made = await actions.startAgain(props.run, { parameters: null, name: "" });
          tell(`${made.name} was started.`);
          navigate(paths.run(made.id));
        }}
      >
        <p class={styles.line}>
          A new run gets the parameters that <b class="told">{props.run.name.slice(0, 200)}</b> was given, and the code
          as it is now. Nothing of this run is reused but what is in the cache.
        </p>
      </Confirm>
      <Show when={isOpen("again")}>
        <AgainDialog run={props.run} actions={actions} />
      </Show>
      <Confirm
        open={isOpen("delete")}
        title={`Delete ${name()}?`}
        does="Delete it"
        kind="danger"
        onClose={dialogs.close}
        act={async () => {
          await actions.remove(props.run.id);
          tell(`${name()} was deleted.`);
          navigate(paths.runs(), { replace: true });
        }}
      >
        <p class={styles.line}>
          The run goes with all that belongs to it: task runs, log lines, artifacts, metrics, results. This cannot be
          undone.
        </p>
      </Confirm>
    </>
  );
}
