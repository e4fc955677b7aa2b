/** The list of runs, live: which ones, how many were made when, and what can be done to them. */

import { useLocation, useNavigate } from "@solidjs/router";
import { Show, createEffect, createMemo, createSignal, onCleanup } from "solid-js";
import { Button } from "~/components/button";
import { ErrorNote, Empty, Loading } from "~/components/notice";
import { Page } from "~/components/page";
import { VirtualTable } from "~/components/virtual-table";
import type { TableHandle } from "~/components/virtual-table";
import { useMe } from "~/data/me";
import { MOST, useRuns } from "~/data/runs";
import type { Run } from "~/data/runs";
import { useKeys } from "~/lib/keys";
import { count, plural } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { createNow, exact, secondsOf } from "~/lib/times";
import { BulkBar } from "./bulk-bar";
import { FilterBar } from "./filter-bar";
import { FilterChips } from "./filter-chips";
import { cameBackTo, entryOf, leave } from "./place";
import { cardHeight, runCard, runColumns } from "./run-columns";
import type { Had } from "./run-columns";
import { RunsHistogram } from "./runs-histogram";
import { createSelection } from "./selection";
import { ALL, chipsOf, filterOf, searchOf, told, viewOf } from "./view";
import type { View } from "./view";
import { ViewsBar } from "./views-bar";
import { messageOf } from "./words";
import styles from "./runs.module.css";

/** Milliseconds after which a time from now back is counted from a new now. */
const ANEW = 600_000;
/** Runs that are looked at for what they have. */
const LOOKED_AT = 200;

export function Runs() {
  const navigate = useNavigate();
  const location = useLocation();
  const search = useSearch();
  const me = useMe();
  const view = createMemo(() => viewOf(search), undefined, {
    equals: (a, b) => JSON.stringify(a) === JSON.stringify(b),
  });
  const change = (change: Partial<View>) => search.set(searchOf({ ...view(), ...change }));

  const anew = createNow(ANEW);
  const filter = createMemo(() => (anew(), filterOf(view(), Date.now() / 1000)), undefined, {
    equals: (a, b) => JSON.stringify(a) === JSON.stringify(b),
  });
  const list = useRuns(filter);
  const { query, runs } = list;
  const selection = createSelection(runs);

  // Columns are made anew only when there are others: with each of them all cells that are seen are.
  const had = createMemo<(Had & { view: View }) | undefined>(
    (before) => {
      const some = runs().slice(0, LOOKED_AT);
      // Once a column is there it stays while one looks at this view: nothing jumps.
      const kept = before?.view === view() ? before : undefined;
      return {
        view: view(),
        tags: kept?.tags === true || some.some((run) => run.tags.length > 0),
        parameters: kept?.parameters === true || some.some((run) => Object.keys(run.parameters ?? {}).length > 0),
        messages: kept?.messages === true || some.some((run) => messageOf(run) !== ""),
      };
    },
    undefined,
    { equals: (a, b) => JSON.stringify(a) === JSON.stringify(b) },
  );
  const columns = createMemo(() => runColumns(had()!, selection));
  const isAll = () => query.data !== undefined && !list.more() && !list.isFull();

  let text: HTMLInputElement | undefined;
  const [table, setTable] = createSignal<TableHandle<Run>>();
  const onActive = (act: (run: Run) => void) => () => {
    const run = table()?.active();
    if (run) act(run);
  };
  useKeys(
    { keys: "f", does: "Filter the runs", run: () => text?.focus() },
    { keys: "j", does: "Go down in the list", run: () => table()?.step(1) },
    { keys: "k", does: "Go up in the list", run: () => table()?.step(-1) },
    { keys: "x", does: "Select the run, or do not", run: onActive(selection.toggle) },
    { keys: "X", does: "Select all from the last selected run to this one", run: onActive(selection.extend) },
    { keys: "Escape", does: "Select none", run: selection.clear },
  );
  const open = (run: Run, event: MouseEvent | KeyboardEvent) => {
    if (event.shiftKey) selection.extend(run);
    else if (event.ctrlKey || event.metaKey) selection.toggle(run);
    else navigate(paths.run(run.id));
  };
  const address = () => location.pathname + location.search;
  let entry = entryOf(address());
  const startAt = cameBackTo(entry);
  // When one leaves, one is at another entry already.
  createEffect(() => location.pathname === paths.runs() && (entry = entryOf(address())));
  onCleanup(() => leave(entry, table()?.top() ?? 0));

  const nothing = () => (
    <Show
      when={!list.more() && !query.isFetching}
      fallback={
        <Show when={!list.stopped()}>
          <Loading what="runs" rows={6} />
        </Show>
      }
    >
      <Show
        when={chipsOf(view()).length}
        fallback={
          <Empty icon="list" title="Nothing has run yet.">
            Run a flow, and it is here at once. <code>nadi run file.py:flow</code> does it from a terminal.
          </Empty>
        }
      >
        <Empty icon="filter" title="No run is like that.">
          <Button onClick={() => change(ALL)}>Show all runs</Button>
        </Empty>
      </Show>
    </Show>
  );
  return (
    <Page title="Runs" full aside={<ViewsBar view={view()} />}>
      <div class={styles.above}>
        <FilterBar view={view()} runs={runs()} onChange={change} entry={(element) => (text = element)} />
        <FilterChips view={view()} onChange={change} />
        <RunsHistogram
          view={view()}
          filter={filter()}
          runs={runs()}
          isAll={isAll()}
          onSelect={(since, until) => change({ last: "", since, until })}
          onClear={() => change({ last: "", since: "", until: "" })}
          onState={(state) => change({ state: view().state.length === 1 && view().state[0] === state ? [] : [state] })}
        />
      </div>
      <Show when={query.error}>{(error) => <ErrorNote error={error()} retry={() => void query.refetch()} />}</Show>
      <div class={styles.list} aria-busy={query.isFetching && query.data === undefined}>
        <VirtualTable
          label="Runs"
          rows={runs()}
          columns={columns()}
          rowKey={(run) => run.id}
          card={(run) => runCard(run, selection)}
          cardHeight={cardHeight(had()!)}
          onOpen={open}
          isSelected={selection.has}
          anchored
          newRows={(n) => plural(n, "new run")}
          listKey={JSON.stringify(view())}
          startAt={startAt}
          more={list.more()}
          onEnd={() => !list.stopped() && !query.error && list.readMore()}
          handle={setTable}
          empty={<Show when={!query.error}>{nothing()}</Show>}
          footer={
            <div class={styles.end}>
              <Show when={list.stopped()}>
                <p>
                  Looked back to {exact(list.lookedTo())}: {runs().length ? plural(runs().length, "run") : "no run"} so
                  far.
                </p>
                <Button busy={query.isFetching} onClick={list.readMore}>
                  Look further
                </Button>
              </Show>
              <Show when={list.isFull()}>
                <p>These are {count(MOST)} runs, which is as many as are shown at once.</p>
                <Button onClick={() => change({ last: "", until: told(Math.ceil(secondsOf(runs().at(-1)?.created))) })}>
                  Show older ones
                </Button>
              </Show>
            </div>
          }
        />
      </div>
      <BulkBar selected={selection.selected()} mayOperate={me.may("operate")} onClear={selection.clear} />
    </Page>
  );
}
