/** One flow: what its runs came to, which of its tasks are slow, what it will call and what it takes. */

import { useParams } from "@solidjs/router";
import { Match, Show, Switch, createMemo } from "solid-js";
import { Empty, ErrorNote, Loading } from "~/components/notice";
import { Page } from "~/components/page";
import { Tabs } from "~/components/tabs";
import { useFlow, useFlowCode } from "~/data/flow";
import { useMe } from "~/data/me";
import { useRuns } from "~/data/runs";
import { Problem } from "~/lib/http";
import { paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { FlowHead, FlowHeading } from "./flow-head";
import { GraphPart } from "./graph-part";
import { Overview } from "./overview";
import { SchemaPart } from "./schema-part";
import { TasksPart } from "./tasks-part";

const PARTS = ["overview", "tasks", "graph", "schema"] as const;
type Part = (typeof PARTS)[number];
const LABELS: Record<Part, string> = { overview: "Overview", tasks: "Tasks", graph: "Graph", schema: "Parameters" };

/** Newest runs that are listed. */
const NEWEST = 20;

export function Flow() {
  const params = useParams<{ flow: string }>();
  const name = createMemo(() => decoded(params.flow));
  const search = useSearch();
  const me = useMe();
  const part = (): Part => (PARTS.includes(search.one("tab") as Part) ? (search.one("tab") as Part) : "overview");
  const { query, flow } = useFlow(name);
  const newest = useRuns(() => ({ flow: name() }), { limit: NEWEST });
  const code = useFlowCode(name, () => me.may("operate"));
  const isUnknown = () => query.error instanceof Problem && query.error.status === 404;
  const href = (tab: Part) => {
    const range = search.one("range");
    return paths.flow(name(), { tab: tab === "overview" ? undefined : tab, range: range || undefined });
  };
  return (
    <Switch
      fallback={
        <Page title={name()}>
          <Loading what="the flow" rows={8} />
        </Page>
      }
    >
      <Match when={isUnknown()}>
        <Page title="Flow">
          <Empty icon="flow" title="There is no flow of this name.">
            <p class="told">
              No run of “{name().slice(0, 200)}” is recorded here. A flow is known by its runs: it is here once it has
              run, and for as long as one of its runs is kept.
            </p>
          </Empty>
        </Page>
      </Match>
      <Match when={!flow() && query.error}>
        {(error) => (
          <Page title={name()}>
            <ErrorNote error={error()} retry={() => void query.refetch()} />
          </Page>
        )}
      </Match>
      <Match when={flow()}>
        {(flow) => (
          <Page
            title={name()}
            full={part() === "graph"}
            heading={<FlowHeading name={name()} />}
            aside={<FlowHead.Actions newest={flow().newest} code={code} />}
          >
            <FlowHead.Facts flow={flow()} newest={newest.runs()[0]} code={code} />
            <Tabs
              label="Parts of the flow"
              tabs={PARTS.map((tab) => ({ href: href(tab), label: LABELS[tab], current: tab === part() }))}
            />
            <Show when={query.error}>
              {(error) => <ErrorNote error={error()} retry={() => void query.refetch()} />}
            </Show>
            <Switch>
              <Match when={part() === "overview"}>
                <Overview flow={name()} newest={newest} />
              </Match>
              <Match when={part() === "tasks"}>
                <TasksPart flow={name()} />
              </Match>
              <Match when={part() === "graph"}>
                <GraphPart newest={flow().newest} code={code} />
              </Match>
              <Match when={part() === "schema"}>
                <SchemaPart code={code} />
              </Match>
            </Switch>
          </Page>
        )}
      </Match>
    </Switch>
  );
}

/** A part of a path as text: the router gives it as the URL has it. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a "%" that somebody typed
  }
}
