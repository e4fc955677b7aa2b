/** What went wrong: runs that failed alike are one row. */

import { A } from "@solidjs/router";
import { For, Show } from "solid-js";
import { Loading } from "~/components/notice";
import { StateBadge } from "~/components/state-badge";
import { Time } from "~/components/time";
import { count, plural } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { lookOf } from "~/lib/state";
import { exact, secondsOf } from "~/lib/times";
import type { FailureGroup, useFailures } from "./home-data";
import { inUrl } from "./home-range";
import { Nothing, Rows, Section } from "./section";
import { Spark } from "./spark";
import styles from "./failures.module.css";

/** Characters of a title, which a browser shows whole. */
const TITLE = 500;

export function Failures(props: {
  data: ReturnType<typeof useFailures>;
  range: readonly [number, number];
  /** As it is called, such as "in the last 24 hours". */
  told: string;
  href: string;
}) {
  const failures = () => props.data.failures();
  return (
    <Section
      title="Failures"
      count={failures()?.runs}
      isMore={Boolean(failures()?.looked_back_to)}
      aside={
        <Show when={failures()?.runs}>
          <A href={props.href}>All failed runs</A>
        </Show>
      }
    >
      <Show when={failures()} fallback={!props.data.query.error && <Loading what="failures" rows={4} />}>
        {(found) => (
          <>
            <Rows
              rows={found().groups}
              rowKey={(group) => `${group.flow} ${group.state} ${group.runs[0]?.id}`}
              empty={<Nothing>Nothing failed {props.told}.</Nothing>}
            >
              {(group) => <Group group={group()} range={props.range} />}
            </Rows>
            <Show when={found().more_groups}>
              {(more) => <Nothing>And {plural(more(), "other error")}, which were seen longer ago.</Nothing>}
            </Show>
            <Show when={found().looked_back_to}>
              {(back) => (
                <Nothing>
                  These are the newest {count(found().runs)} that failed, made since {exact(secondsOf(back()))}.
                </Nothing>
              )}
            </Show>
          </>
        )}
      </Show>
    </Section>
  );
}

function Group(props: { group: FailureGroup; range: readonly [number, number] }) {
  const group = () => props.group;
  const times = () =>
    group().count === 1
      ? exact(secondsOf(group().last))
      : `${plural(group().count, "run")} from ${exact(secondsOf(group().first))} to ${exact(secondsOf(group().last))}`;
  const href = () => {
    const [since, until] = props.range.map(inUrl) as [string, string];
    return paths.runs({ flow: group().flow, state: [group().state], since, until });
  };
  return (
    <li class={styles.group}>
      <span
        class={styles.count}
        style={{ color: `var(${lookOf(group().state).colour})` }}
        title={plural(group().count, "run")}
      >
        {count(group().count)}
        <span class="sr-only"> {group().count === 1 ? "run" : "runs"}</span>
      </span>
      <div class={styles.what}>
        <p class={styles.message} title={group().message.slice(0, TITLE)}>
          <StateBadge state={group().state} iconOnly />
          <span class="told">{group().message || "It ended without a message."}</span>
        </p>
        <p class={styles.where}>
          <A class={`cut ${styles.flow}`} href={paths.flow(group().flow)} title={group().flow.slice(0, TITLE)}>
            {group().flow}
          </A>
          <For each={group().runs.slice(0, 3)}>
            {(run) => (
              <A class="cut" href={paths.run(run.id)} title={run.name.slice(0, TITLE)} data-row>
                {run.name}
              </A>
            )}
          </For>
          <Show when={group().count > 3}>
            <A class={styles.all} href={href()}>
              all {count(group().count)}
            </A>
          </Show>
        </p>
      </div>
      <div class={styles.when}>
        <Time at={group().last} />
        <Spark
          times={group().times}
          from={props.range[0]}
          to={props.range[1]}
          colour={lookOf(group().state).colour}
          title={times()}
        />
      </div>
    </li>
  );
}
