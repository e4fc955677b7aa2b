/** The graph of a run: what it called, and what took whose outcome. */

import { Show, createMemo, createSignal } from "solid-js";
import { Empty, ErrorNote, Loading } from "~/components/notice";
import { Icon } from "~/components/icon";
import { useRun } from "~/data/run";
import { DagView } from "~/graph/dag/dag-view";
import type { Cells } from "~/graph/dag/dag-view";
import type { Direction } from "~/graph/dag/plan";
import { found, shownOf } from "~/graph/dag/shown";
import { useSearch } from "~/lib/search";
import { createGraphData } from "./graph-data";
import { cellsOf, foldable } from "./graph-model";
import { Members } from "./members";
import { NodeList } from "./node-list";
import { Toolbar } from "./toolbar";
import styles from "./graph.module.css";

export function Graph() {
  const search = useSearch();
  const { run, tasks } = useRun();
  const data = createGraphData();
  const direction = (): Direction => (search.one("dir") === "down" ? "down" : "right");
  const isList = () => search.one("as") === "list";
  const open = createMemo(() => new Set(search.all("open")));
  const node = () => data.graph()?.nodes.find((one) => one.id === search.one("node"));
  const toggle = (id: string) => {
    const now = new Set(open());
    if (!now.delete(id)) now.add(id);
    search.set({ open: [...now] });
  };
  const openNode = (id: string) => {
    const pressed = data.graph()?.nodes.find((one) => one.id === id);
    if (!pressed) return;
    if (pressed.is_flow || pressed.count > 1) search.set({ node: id, task: undefined }, { push: true });
    else search.set({ task: id, node: undefined }, { push: true });
  };
  const openTask = (id: string) => search.set({ task: id }, { push: true });

  const selected = createMemo(() => {
    const [now, told] = [
      data.graph(),
      search.one("node") || (search.one("task") && data.nodeOfTask(search.one("task"))),
    ];
    return told && now ? (shownOf(now, open(), data.root()).drawnAs.get(told) ?? "") : "";
  });
  const cells = (id: string): Cells | undefined => {
    const { calls, more } = cellsOf(data.calls(id));
    return {
      calls: calls.map((call) => ({ ...call, label: (tasks().row(call.id)?.name ?? "").slice(0, 200) })),
      more,
    };
  };

  // -- search --

  const hits = createMemo(() => {
    const now = data.graph();
    return now ? [...found(now, shownOf(now, open(), data.root()), search.one("find"))] : [];
  });
  const [at, setAt] = createSignal(-1);
  const [goTo, setGoTo] = createSignal<{ node: string }>();
  const step = (by: number) => {
    if (!hits().length) return;
    setAt((at() + by + hits().length) % hits().length);
    setGoTo({ node: hits()[at()]! });
  };

  return (
    <>
      <Show when={data.error()}>{(error) => <ErrorNote error={error()} retry={data.reload} />}</Show>
      <Show
        when={data.graph()}
        fallback={
          <Show when={!data.error()}>
            <Loading what="the graph" rows={6} />
          </Show>
        }
      >
        {(graph) => (
          <Show
            when={graph().nodes.length > 0}
            fallback={
              <Empty icon="flow" title="Nothing was called.">
                <p>
                  The graph shows tasks and subflows that a run calls. {run()?.ended ? "" : "It appears as they begin."}
                </p>
              </Empty>
            }
          >
            <Toolbar
              graph={graph()}
              root={data.root()}
              direction={direction()}
              isList={isList()}
              isOpen={open().size > 0}
              foldable={foldable(graph()).filter((id) => id !== data.root())}
              find={search.one("find")}
              hits={hits().length}
              at={at()}
              onFind={(text) => {
                setAt(-1);
                search.set({ find: text });
              }}
              onStep={step}
              set={(change) => search.set(change)}
            />
            <div class={styles.body}>
              <Show
                when={isList()}
                fallback={
                  <DagView
                    graph={graph()}
                    label={`Graph of ${(run()?.name ?? "the run").slice(0, 200)}`}
                    direction={direction()}
                    selected={selected()}
                    onOpen={openNode}
                    open={open()}
                    onToggle={toggle}
                    root={data.root()}
                    tally={data.tally}
                    cells={cells}
                    onCell={openTask}
                    find={search.one("find")}
                    goTo={goTo()}
                  />
                }
              >
                <NodeList
                  graph={graph()}
                  root={data.root()}
                  find={search.one("find")}
                  tally={data.tally}
                  selected={search.one("node") || search.one("task")}
                  onOpen={openNode}
                />
              </Show>
              <Show when={node()}>
                {(node) => (
                  <Members
                    node={node()}
                    calls={data.calls(node().id)}
                    tally={data.tally(node().id)}
                    nameOf={(id) => tasks().row(id)?.name}
                    onOpen={openTask}
                    selected={search.one("task")}
                    onClose={() => search.set({ node: undefined })}
                  />
                )}
              </Show>
            </div>
            <Show when={graph().note}>
              <p class={styles.note}>
                <Icon name="info" size={14} /> {graph().note}
              </p>
            </Show>
          </Show>
        )}
      </Show>
    </>
  );
}
