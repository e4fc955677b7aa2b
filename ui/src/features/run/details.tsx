/** All that is known of a run beside what its header says; folded until somebody wants it. */

import { For, Show } from "solid-js";
import type { JSX } from "solid-js";
import { CopyButton } from "~/components/copy-button";
import { JsonView } from "~/components/json-view";
import { Time } from "~/components/time";
import type { FullRun } from "~/data/run";
import { commitTold, forShell } from "./actions-model";
import styles from "./details.module.css";

export function Details(props: { run: FullRun }) {
  const source = () => props.run.source;
  const commands = () => [
    `nadi logs ${forShell(props.run)} -f`,
    `nadi why ${forShell(props.run)}`,
    `nadi resume ${forShell(props.run)}`,
  ];
  const hasParameters = () =>
    typeof props.run.parameters === "object" &&
    props.run.parameters !== null &&
    Object.keys(props.run.parameters).length > 0;
  return (
    <div class={styles.details}>
      <section>
        <h2>Parameters</h2>
        <Show when={hasParameters()} fallback={<p class="soft">It takes none, or was given none.</p>}>
          <JsonView value={props.run.parameters} label="Parameters" />
        </Show>
        <Show when={props.run.description}>
          <h2>What it is for</h2>
          <p class={`${styles.description} told`}>{props.run.description}</p>
        </Show>
      </section>
      <section>
        <h2>When and where</h2>
        <dl class={styles.facts}>
          <Fact name="Created">
            <Time at={props.run.created} exact />
          </Fact>
          <Fact name="Started">
            <Time at={props.run.started} exact />
          </Fact>
          <Fact name="Ended">
            <Time at={props.run.ended} exact />
          </Fact>
          <Fact name="Held by" text={props.run.holder} />
          <Fact name="Machine" text={source()?.host} />
          <Fact name="Entrypoint" text={props.run.entrypoint} copied />
          <Fact name="Not loadable" text={source()?.not_loadable} />
          <Fact
            name="Commit"
            text={commitTold(source())}
            title={source()?.git_commit ?? undefined}
            copied={source()?.git_commit}
          />
          <Fact name="Version" text={props.run.version} copied />
          <Fact name="Folder" text={source()?.working_folder} copied />
          <Fact name="Python" text={source() ? `${source()!.python_version}, ${source()!.interpreter}` : ""} />
          <Fact name="Started by" text={source()?.command_line.join(" ")} copied />
          <Show when={props.run.run_count > 1}>
            <Fact name="Entered">{props.run.run_count} times in this attempt</Fact>
          </Show>
          <Fact name="Id" text={props.run.id} copied />
        </dl>
      </section>
      <section>
        <h2>On the command line</h2>
        <ul>
          <For each={commands()}>
            {(command) => (
              <li class={styles.command}>
                <code class="cut">{command}</code>
                <CopyButton text={command} label={`Copy ${command}`} />
              </li>
            )}
          </For>
        </ul>
      </section>
    </div>
  );
}

function Fact(props: {
  name: string;
  text?: string | null;
  title?: string;
  /** Whether it can be copied; text where that is another one than is shown. */
  copied?: boolean | string | null;
  children?: JSX.Element;
}) {
  return (
    <Show when={props.children ?? props.text}>
      <dt>{props.name}</dt>
      <dd class={styles.fact}>
        <Show when={props.children === undefined} fallback={props.children}>
          <span class="cut" title={(props.title ?? props.text ?? "").slice(0, 500)}>
            {(props.text ?? "").slice(0, 2000)}
          </span>
          <Show when={props.copied}>
            <CopyButton
              text={typeof props.copied === "string" ? props.copied : props.text!}
              label={`Copy: ${props.name.toLowerCase()}`}
            />
          </Show>
        </Show>
      </dd>
    </Show>
  );
}
