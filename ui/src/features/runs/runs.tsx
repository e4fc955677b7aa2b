/** The list of runs, live. */

import { A, useNavigate } from "@solidjs/router";
import { Show } from "solid-js";
import { ErrorNote, Empty, Loading } from "~/components/notice";
import { Page } from "~/components/page";
import { StateBadge } from "~/components/state-badge";
import { StateMeter } from "~/components/state-meter";
import { Time, Took } from "~/components/time";
import { VirtualTable } from "~/components/virtual-table";
import type { Column } from "~/components/virtual-table";
import { useRuns } from "~/data/runs";
import type { Run } from "~/data/runs";
import { paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";

const COLUMNS: Column<Run>[] = [
  {
    key: "state",
    title: "State",
    width: "132px",
    cell: (run) => <StateBadge state={run.state} name={run.state_name} />,
  },
  {
    key: "name",
    title: "Run",
    width: "minmax(110px, 1.4fr)",
    cell: (run) => (
      <A class="cut" href={paths.run(run.id)}>
        {run.name}
      </A>
    ),
  },
  { key: "flow", title: "Flow", width: "minmax(90px, 1fr)", cell: (run) => <span class="cut">{run.flow}</span> },
  {
    key: "tasks",
    title: "Tasks",
    width: "minmax(60px, 1fr)",
    wideOnly: true,
    cell: (run) => <StateMeter counts={run.tasks} />,
  },
  {
    key: "created",
    title: "Created",
    width: "84px",
    right: true,
    wideOnly: true,
    cell: (run) => <Time at={run.created} />,
  },
  {
    key: "took",
    title: "Took",
    width: "76px",
    right: true,
    cell: (run) => <Took started={run.started} ended={run.ended} />,
  },
];

export function Runs() {
  const navigate = useNavigate();
  const search = useSearch();
  const { query, runs } = useRuns(() => ({
    text: search.one("text"),
    flow: search.one("flow"),
    state: search.all("state"),
  }));
  return (
    <Page title="Runs" full>
      <Show when={query.error}>{(error) => <ErrorNote error={error()} retry={() => query.refetch()} />}</Show>
      <Show when={query.data} fallback={<Loading what="runs" rows={8} />}>
        <VirtualTable
          label="Runs"
          rows={runs()}
          columns={COLUMNS}
          rowKey={(run) => run.id}
          onOpen={(run) => navigate(paths.run(run.id))}
          onEnd={() => query.hasNextPage && !query.isFetching && void query.fetchNextPage()}
          empty={<Empty title="Nothing is recorded yet. Run a flow, and it is here." />}
        />
      </Show>
    </Page>
  );
}
