/** What the flow calls: as its newest run did, as the text of its code says, or as the loaded code declares. */

import { Match, Show, Suspense, Switch, createMemo, lazy } from "solid-js";
import { Button } from "~/components/button";
import { Icon } from "~/components/icon";
import { Empty, ErrorNote, Loading } from "~/components/notice";
import { Segments } from "~/components/segments";
import { useRunGraph } from "~/data/flow";
import { useMe } from "~/data/me";
import type { Shapes } from "~/lib/http";
import { plural } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { A } from "@solidjs/router";
import type { Code } from "./flow-head";
import styles from "./graph-part.module.css";

const DagView = lazy(async () => ({ default: (await import("~/graph/dag/dag-view")).DagView }));

const SOURCES = ["code", "loaded", "run"] as const;
type Source = (typeof SOURCES)[number];
const LABELS: Record<Source, string> = { code: "Source text", loaded: "Loaded code", run: "Newest run" };

export function GraphPart(props: { newest: string; code: Code }) {
  const search = useSearch();
  const me = useMe();
  const told = (): Source | undefined => SOURCES.find((one) => one === search.one("of"));
  const canLoad = () => me.may("operate") && props.code.read()?.not_startable === "";
  /** The one that is asked for, else the first that there is: what the code says counts before any run. */
  const source = createMemo(
    (): Source =>
      told() ??
      (props.code.loaded()?.graph ? "loaded" : props.code.read()?.graph ? "code" : canLoad() ? "loaded" : "run"),
  );
  const ofRun = useRunGraph(() => (source() === "run" ? props.newest : ""));
  const graph = (): Shapes["Graph"] | null | undefined => {
    if (source() === "run") return ofRun.graph();
    return source() === "loaded" ? props.code.loaded()?.graph : props.code.read()?.graph;
  };
  const note = () => {
    const code = source() === "loaded" ? props.code.loaded() : source() === "code" ? props.code.read() : undefined;
    return [graph()?.note, code?.note].filter(Boolean).join(" ");
  };
  const error = () => {
    if (source() === "run") return ofRun.query.error;
    return source() === "loaded" ? props.code.inspection.error : props.code.preview.error;
  };
  const isWaiting = () => {
    if (source() === "run") return ofRun.query.isFetching;
    return source() === "loaded" ? props.code.isLoading() : props.code.preview.isFetching;
  };
  return (
    <div class={styles.part}>
      <div class={styles.bar}>
        <Segments
          label="Which graph"
          options={SOURCES.filter((one) => one !== "loaded" || canLoad() || told() === "loaded").map((one) => ({
            value: one,
            label: LABELS[one],
          }))}
          value={source()}
          onChoose={(one) => search.set({ of: one })}
        />
        <Show when={graph()}>{(graph) => <span class={styles.size}>{plural(graph().nodes.length, "node")}</span>}</Show>
        <Show when={source() === "loaded" && props.code.loaded()}>
          <Button kind="quiet" icon="refresh" busy={props.code.isLoading()} onClick={() => props.code.load()}>
            Load again
          </Button>
        </Show>
        <Show when={source() === "run"}>
          <A class={styles.size} href={paths.run(props.newest, "graph")}>
            Open the run's graph
          </A>
        </Show>
      </div>
      <Show when={note()}>
        <p class={`told ${styles.note}`}>
          <Icon name="info" size={14} />
          {note()}
        </p>
      </Show>
      <Switch fallback={<Empty icon="flow" title="There is no graph to show here." />}>
        <Match when={graph()?.nodes.length ? graph() : undefined}>
          {(graph) => (
            <Suspense fallback={<Loading what="the graph" rows={6} />}>
              <DagView graph={graph()} label={`What ${graph().title.slice(0, 100)} calls`} />
            </Suspense>
          )}
        </Match>
        <Match when={graph()}>
          <Empty
            icon="flow"
            title={source() === "run" ? "This run has called nothing." : "It calls no task and no flow."}
          />
        </Match>
        <Match when={error()}>
          {(error) => (
            <ErrorNote
              error={error()}
              retry={() => (source() === "run" ? void ofRun.query.refetch() : props.code.load())}
            />
          )}
        </Match>
        <Match when={isWaiting()}>
          <Loading what="the graph" rows={6} />
        </Match>
        <Match when={source() === "loaded" && canLoad()}>
          <Empty icon="flow" title="Its graph is there once its code is loaded.">
            <p>That imports its file in a process of its own on the server. Neither the flow nor a task is run.</p>
            <Button kind="primary" class={styles.load} onClick={() => props.code.load()}>
              Load the code
            </Button>
          </Empty>
        </Match>
      </Switch>
    </div>
  );
}
