/** The graph of a run with what has become of each call, live: states by themselves, the graph anew when it grows. */

import { useQuery, useQueryClient } from "@tanstack/solid-query";
import { createEffect, createMemo, on, onCleanup, untrack } from "solid-js";
import type { Accessor } from "solid-js";
import { unwrap } from "solid-js/store";
import { known } from "~/data/queries";
import { useRun } from "~/data/run";
import { fitsCalls, nodeOfEach, tallies } from "~/graph/dag/tally";
import type { Assigned, Call, Tally } from "~/graph/dag/tally";
import type { GraphShape } from "~/graph/dag/shown";
import { answered, api } from "~/lib/http";
import { live } from "~/lib/live";
import { againAfter, onlyMade, within } from "./graph-model";
import { createSubflows } from "./subflows";
import { createWholeTable } from "./whole-table";

export interface GraphData {
  /** `undefined` until it is read. */
  graph: Accessor<GraphShape | undefined>;
  error: Accessor<Error | null>;
  reload: () => void;
  /** The node that is the run of the page, where that is a subflow; "" where it is the whole. */
  root: Accessor<string>;
  tally: (node: string) => Tally | undefined;
  /** Task runs and subflow runs of a node, in the order in which they were made. */
  calls: (node: string) => Call[];
  /** The node that a task run is part of. */
  nodeOfTask: (task: string) => string | undefined;
}

const NONE: Assigned = { calls: [], nodeOf: new Int32Array() };

export function createGraphData(): GraphData {
  const { run, id, tasks: ownTasks, needTasks, tasksRead } = useRun();
  const client = useQueryClient();
  // A memo, since the run is another one with each change, and a query that is asked anew goes through all that it has.
  const rootRun = createMemo(() => run()?.root ?? "");
  const key = () => ["graph", rootRun()];
  let took = 0;
  let readAt = 0;
  const query = useQuery(() => ({
    queryKey: key(),
    enabled: rootRun() !== "",
    queryFn: async ({ signal }) => {
      const begin = performance.now();
      const read = await answered(
        api.GET("/api/flow-runs/{run}/graph", { params: { path: { run: rootRun() } }, signal }),
      );
      readAt = performance.now();
      took = readAt - begin;
      return read;
    },
    // A run that has ended keeps its graph, and one that has not is read anew when it grows.
    staleTime: 1_000,
    structuralSharing: false,
  }));
  // Unwrapped: a store stands a proxy around each of ten thousand nodes that is looked at, and nothing in it changes.
  const graph = createMemo(() => unwrap(known(query)));

  // -- all task runs and subflow runs of the outermost run, of which a subflow's page knows its own alone --

  const isSubflow = createMemo(() => Boolean(run()?.parent));
  const whole = createWholeTable(() => (isSubflow() ? rootRun() : ""));
  createEffect(() => !isSubflow() && needTasks());
  const table = () => (isSubflow() ? whole.table() : ownTasks());
  const isRead = () => (isSubflow() ? whole.isRead() : tasksRead());
  const flowsTold = createMemo(() => nodeOfEach(graph()?.flows ?? []));
  const subflows = createSubflows(rootRun, () => flowsTold().length);

  const tasksTold = createMemo(() => nodeOfEach(graph()?.tasks ?? []));
  /** Rows by node, where they are those that the graph is of; without them the graph's own states are shown. */
  const tasks = createMemo((): Assigned | undefined => {
    const [now, nodeOf] = [graph(), tasksTold()];
    table().version();
    if (!now || !isRead()) return undefined;
    const calls = table().rows();
    return fitsCalls(now, nodeOf, calls, false) ? { calls, nodeOf } : undefined;
  });
  const flows = createMemo((): Assigned | undefined => {
    const [now, nodeOf, calls] = [graph(), flowsTold(), subflows.rows()];
    if (!now || !subflows.isRead()) return undefined;
    return fitsCalls(now, nodeOf, calls, true) ? { calls, nodeOf } : undefined;
  });

  // -- when the run made calls that the graph does not have, it is read anew --

  let rounds = 0;
  let waiting: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(waiting));
  const isBehind = createMemo(() => {
    const now = graph();
    if (!now || now.note || !isRead()) return false;
    return (
      table().version() >= 0 && (!tasks() || table().size > tasksTold().length || subflows.count() > flowsTold().length)
    );
  });
  const readAnew = () => void client.invalidateQueries({ queryKey: key() });
  createEffect(
    on([isBehind, graph, () => query.isFetching], ([behind, , isFetching]) => {
      if (!behind) rounds = 0;
      if (!behind || isFetching) return;
      clearTimeout(waiting);
      const ago = performance.now() - readAt;
      waiting = setTimeout(readAnew, againAfter({ took, ago, rounds: rounds++, fits: Boolean(untrack(tasks)) }));
    }),
  );
  live.hear("reset", readAnew);

  // -- of a subflow's page: which part of the whole it is --

  const number = createMemo(() => new Map((graph()?.nodes ?? []).map((node, at) => [node.id, at])));
  const root = createMemo(() => {
    if (!isSubflow()) return "";
    const at = subflows.rows().findIndex((row) => row.id === id());
    return at >= 0 && flows() ? (graph()?.nodes[flowsTold()[at]!]?.id ?? "") : "";
  });
  const own = createMemo(() => (root() ? within(id(), subflows.rows()) : undefined));
  /** Calls that this run made alone, where its node stands for several runs. */
  const kept = (all: Assigned | undefined, runOf: (call: Call) => string): Assigned | undefined => {
    const ours = own();
    if (!all || !ours) return all;
    return { calls: all.calls, nodeOf: all.nodeOf.map((node, at) => (ours.has(runOf(all.calls[at]!)) ? node : -1)) };
  };
  const keptTasks = createMemo(() => kept(tasks(), (call) => table().row(call.id)?.run ?? ""));
  const keptFlows = createMemo(() => kept(flows(), (call) => call.id));
  const counted = createMemo(() => {
    const [now, ofTasks] = [graph(), keptTasks()];
    return now && ofTasks ? tallies(now, ofTasks, keptFlows() ?? (now.flows.length ? undefined : NONE)) : undefined;
  });

  const callsOf = (assigned: Assigned | undefined, node: number): Call[] => {
    const found: Call[] = [];
    assigned?.nodeOf.forEach((one, at) => one === node && found.push(assigned.calls[at]!));
    return found;
  };
  return {
    graph: createMemo(
      () => {
        const [now, made] = [graph(), counted()];
        return now && made && own() ? onlyMade(now, made) : now;
      },
      undefined,
      { equals: (a, b) => a === b || (own() !== undefined && JSON.stringify(a) === JSON.stringify(b)) },
    ),
    error: () => query.error,
    reload: readAnew,
    root,
    tally: (node) => counted()?.[number().get(node) ?? -1],
    calls: (node) => {
      const at = number().get(node) ?? -1;
      return callsOf(graph()?.nodes[at]?.is_flow ? keptFlows() : keptTasks(), at);
    },
    nodeOfTask: (task) => {
      const assigned = tasks();
      const at = assigned?.calls.findIndex((call) => call.id === task) ?? -1;
      return at >= 0 && at < assigned!.nodeOf.length ? graph()?.nodes[assigned!.nodeOf[at]!]?.id : undefined;
    },
  };
}
