/** Asks before something is done to many runs, does it, and tells what was refused. */

import { For, Match, Show, Switch, createSignal, onCleanup } from "solid-js";
import { Button } from "~/components/button";
import { Dialog } from "~/components/dialog";
import { StateBadge } from "~/components/state-badge";
import { tell } from "~/components/toasts";
import type { Run } from "~/data/runs";
import { answered, api, onceKey } from "~/lib/http";
import { count, plural } from "~/lib/numbers";
import { byReason, targets, toEach } from "./bulk";
import type { Deed, Refused } from "./bulk";
import styles from "./bulk-bar.module.css";

interface Words {
  /** "Cancel 3 runs?" */
  verb: string;
  /** "3 runs were asked to stop." */
  done: (runs: string) => string;
  about: string;
}

const WORDS: Record<Deed, Words> = {
  cancel: {
    verb: "Cancel",
    done: (runs) => `Asked ${runs} to stop.`,
    about: "Each is asked to stop, and ends when its process has heard it. A subflow run ends with its outermost run.",
  },
  resume: {
    verb: "Resume",
    done: (runs) => `${runs} went on.`,
    about: "Each goes on where it stopped; what is finished is not repeated.",
  },
  delete: {
    verb: "Delete",
    done: (runs) => `Deleted ${runs}.`,
    about: "They go with all their task runs, logs, artifacts and metrics. This cannot be undone.",
  },
};

const NAMED = 6;

function request(deed: Deed, run: Run): Promise<unknown> {
  const path = { run: deed === "delete" ? run.id : run.root };
  const headers = onceKey();
  if (deed === "cancel")
    return answered(api.POST("/api/flow-runs/{run}/cancel", { params: { path }, headers, body: {} as never }));
  if (deed === "resume")
    return answered(api.POST("/api/flow-runs/{run}/resume", { params: { path }, headers, body: {} as never }));
  return answered(api.DELETE("/api/flow-runs/{run}", { params: { path } }));
}

export function BulkDialog(props: { deed: Deed; runs: readonly Run[]; onClose: () => void }) {
  // What was asked for does not change while one thinks about it.
  const chosen = targets(props.deed, props.runs);
  const left = props.runs.length - chosen.length;
  const words = WORDS[props.deed];
  const [step, setStep] = createSignal(-1);
  const [isStopped, setStopped] = createSignal(false);
  const [result, setResult] = createSignal<{ done: Run[]; refused: Refused<Run>[] }>();
  onCleanup(() => setStopped(true));
  const start = async () => {
    setStep(0);
    const found = await toEach(chosen, (run) => request(props.deed, run), { onStep: setStep, isStopped });
    if (found.done.length) tell(words.done(plural(found.done.length, "run")));
    if (found.refused.length) setResult(found);
    else props.onClose();
  };
  const isAsking = () => step() < 0;
  return (
    <Dialog
      open
      title={`${words.verb} ${plural(chosen.length, "run")}${isAsking() ? "?" : ""}`}
      onClose={props.onClose}
      actions={
        <Switch>
          <Match when={result()}>
            <Button kind="primary" onClick={() => props.onClose()}>
              Close
            </Button>
          </Match>
          <Match when={isAsking()}>
            <Button onClick={() => props.onClose()}>Not now</Button>
            <Button
              kind={props.deed === "resume" ? "primary" : "danger"}
              ref={(element) => queueMicrotask(() => element.focus())}
              onClick={() => void start()}
            >
              {words.verb} {plural(chosen.length, "run")}
            </Button>
          </Match>
          <Match when={true}>
            <Button disabled={isStopped()} onClick={() => setStopped(true)}>
              Stop here
            </Button>
          </Match>
        </Switch>
      }
    >
      <Switch>
        <Match when={result()}>
          {(found) => (
            <>
              <Show when={found().done.length}>
                <p>{words.done(plural(found().done.length, "run"))}</p>
              </Show>
              <p>{plural(found().refused.length, "was", "were")} refused:</p>
              <ul class={styles.refused}>
                <For each={byReason(found().refused)}>
                  {(group) => (
                    <li>
                      <p class="told">{group.why.slice(0, 1_000)}</p>
                      <p class={`${styles.who} told`}>
                        {group.runs
                          .slice(0, NAMED)
                          .map((run) => run.name.slice(0, 80))
                          .join(", ")}
                        {group.runs.length > NAMED ? ` and ${count(group.runs.length - NAMED)} more` : ""}
                      </p>
                    </li>
                  )}
                </For>
              </ul>
            </>
          )}
        </Match>
        <Match when={isAsking()}>
          <p>
            {words.about}
            <Show when={props.deed === "resume" && chosen.some((run) => run.state === "PAUSED")}>
              {" A run that waits for an input is refused: that is given on its page."}
            </Show>
          </p>
          <ul class={styles.names}>
            <For each={chosen.slice(0, NAMED)}>
              {(run) => (
                <li class={styles.run}>
                  <StateBadge state={run.state} name={run.state_name} iconOnly />
                  <span class="cut">{run.name}</span>
                  <span class="soft cut">{run.flow}</span>
                </li>
              )}
            </For>
            <Show when={chosen.length > NAMED}>
              <li class="soft">and {count(chosen.length - NAMED)} more</li>
            </Show>
          </ul>
          <Show when={left}>
            <p class="soft">The other {count(left)} of those that are selected are left as they are.</p>
          </Show>
        </Match>
        <Match when={true}>
          <p role="status">
            {count(step())} of {plural(chosen.length, "run")}
            {isStopped() ? ". What is on its way is waited for." : ""}
          </p>
          <progress class={styles.progress} max={chosen.length} value={step()} aria-label="Progress" />
        </Match>
      </Switch>
    </Dialog>
  );
}
