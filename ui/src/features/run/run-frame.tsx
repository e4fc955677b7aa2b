/** What stands around every part of the page of a run. */

import { A } from "@solidjs/router";
import { Show } from "solid-js";
import type { JSX } from "solid-js";
import { CopyButton } from "~/components/copy-button";
import { ErrorNote, Loading } from "~/components/notice";
import { Page } from "~/components/page";
import { StateBadge } from "~/components/state-badge";
import { Tabs } from "~/components/tabs";
import { Time, Took } from "~/components/time";
import { useRun } from "~/data/run";
import { TABS, paths } from "~/lib/paths";
import type { Tab } from "~/lib/paths";
import styles from "./run-frame.module.css";

const LABELS: Record<Tab, string> = {
  timeline: "Timeline",
  graph: "Graph",
  tasks: "Tasks",
  logs: "Logs",
  artifacts: "Artifacts",
  metrics: "Metrics",
  attempts: "Attempts",
  why: "Why",
};

export function RunFrame(props: { tab: Tab; children: JSX.Element }) {
  const { run, error, reload, id } = useRun();
  return (
    <Show
      when={run()}
      fallback={
        <Show when={error()} fallback={<Loading />}>
          {(problem) => (
            <Page title="Run">
              <ErrorNote error={problem()} retry={reload} />
            </Page>
          )}
        </Show>
      }
    >
      {(run) => (
        <Page
          full
          title={run().name}
          heading={
            <span class={styles.heading}>
              <StateBadge state={run().state} name={run().state_name} />
              {run().name}
              <CopyButton text={run().id} label="Copy the run's id" />
            </span>
          }
        >
          <p class={styles.facts}>
            <A href={paths.flow(run().flow)}>{run().flow}</A>
            <span>
              Created <Time at={run().created} />
            </span>
            <span>
              Took <Took started={run().started} ended={run().ended} />
            </span>
          </p>
          <Tabs
            label="Parts of the run"
            tabs={TABS.map((tab) => ({ href: paths.run(id(), tab), label: LABELS[tab], current: tab === props.tab }))}
          />
          <div class={styles.part}>{props.children}</div>
        </Page>
      )}
    </Show>
  );
}
