/** What stands above every part of a flow's page. */

import { A } from "@solidjs/router";
import { Show } from "solid-js";
import { CopyButton } from "~/components/copy-button";
import { Icon } from "~/components/icon";
import { StateBadge } from "~/components/state-badge";
import { Time } from "~/components/time";
import type { useFlowCode } from "~/data/flow";
import { totalOf } from "~/data/flow-list";
import type { Flow } from "~/data/flow-list";
import { useMe } from "~/data/me";
import type { Run } from "~/data/runs";
import { plural } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import styles from "./flow-head.module.css";

export type Code = ReturnType<typeof useFlowCode>;

const TITLE = 500;

export function FlowHeading(props: { name: string }) {
  return (
    <span class={styles.heading}>
      <Icon name="flow" size={18} />
      <span class={`told ${styles.name}`}>{props.name}</span>
      <CopyButton text={props.name} label="Copy the flow's name" />
    </span>
  );
}

/** Leads to the form that starts a run like the newest one; only there for who may, and where a run can be started. */
function Actions(props: { newest: string; code: Code }) {
  const me = useMe();
  const why = () => props.code.read()?.not_startable;
  return (
    <Show when={me.may("operate")}>
      <Show when={why()}>
        {(why) => (
          <span class={styles.not} title={why().slice(0, TITLE)} tabIndex={0} role="note">
            <Icon name="info" size={14} /> Cannot be started from here
            <span class="sr-only">: {why()}</span>
          </span>
        )}
      </Show>
      <Show when={why() === ""}>
        <A class={styles.run} href={paths.run(props.newest, undefined, { again: "1" })}>
          <Icon name="play" /> Run
        </A>
      </Show>
    </Show>
  );
}

function Facts(props: { flow: Flow; newest: Run | undefined; code: Code }) {
  const code = () => props.code.loaded() ?? props.code.read();
  const entrypoint = () => code()?.entrypoint ?? "";
  return (
    <div class={styles.facts}>
      <Show when={code()?.description}>{(text) => <p class={`told ${styles.description}`}>{text()}</p>}</Show>
      <p class={styles.line}>
        <A href={paths.runs({ flow: props.flow.name })}>{plural(totalOf(props.flow), "run")}</A>
        <Show when={props.newest}>
          {(run) => (
            <span class={styles.newest}>
              Newest
              <StateBadge state={run().state} name={run().state_name} />
              <A class="cut" href={paths.run(run().id)} title={run().name.slice(0, TITLE)}>
                {run().name}
              </A>
              <Time at={run().created} />
            </span>
          )}
        </Show>
        <Show when={entrypoint()}>
          <span class={styles.entry}>
            <code class="cut" title={entrypoint().slice(0, TITLE)}>
              {entrypoint()}
            </code>
            <CopyButton text={`nadi run ${quoted(entrypoint())}`} label="Copy the command that runs it" />
          </span>
        </Show>
      </p>
    </div>
  );
}

/** As one word of a shell. */
function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export const FlowHead = { Actions, Facts };
