import { A } from "@solidjs/router";
import { Show, createMemo, onMount } from "solid-js";
import { IconButton } from "~/components/button";
import { StateBadge } from "~/components/state-badge";
import { StateMeter } from "~/components/state-meter";
import { VirtualTable } from "~/components/virtual-table";
import type { Column } from "~/components/virtual-table";
import type { NodeShape } from "~/graph/dag/shown";
import { progress } from "~/graph/dag/tally";
import type { Call, Tally } from "~/graph/dag/tally";
import { count } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { createNow, duration } from "~/lib/times";
import { byMatter } from "./graph-model";
import styles from "./graph.module.css";

/** The calls that one node stands for, those that went wrong first. */
export function Members(props: {
  node: NodeShape;
  calls: readonly (Call & { name?: string })[];
  tally: Tally | undefined;
  nameOf: (task: string) => string | undefined;
  selected: string;
  onOpen: (task: string) => void;
  onClose: () => void;
}) {
  const now = createNow(1000);
  const rows = createMemo(() => byMatter(props.calls));
  const nameOf = (call: Call & { name?: string }) => (call.name ?? props.nameOf(call.id) ?? "").slice(0, 500);
  const took = (call: Call) => (call.started ? duration(Math.max(0, (call.ended || now()) - call.started)) : "");
  const columns = createMemo((): Column<Call & { name?: string }>[] => [
    {
      key: "state",
      title: "State",
      width: "112px",
      cell: (call) => <StateBadge state={call.state} name={call.stateName} />,
    },
    {
      key: "name",
      title: props.node.is_flow ? "Run" : "Task run",
      width: "minmax(80px, 1fr)",
      cell: (call) => (
        <Show
          when={props.node.is_flow}
          fallback={
            <span class="cut" title={nameOf(call)}>
              {nameOf(call)}
            </span>
          }
        >
          <A class="cut" href={paths.run(call.id, "graph")} title={nameOf(call)}>
            {nameOf(call)}
          </A>
        </Show>
      ),
    },
    {
      key: "took",
      title: "Took",
      width: "64px",
      right: true,
      cell: (call) => <span class="number">{took(call)}</span>,
    },
  ]);
  let panel!: HTMLElement;
  // Whoever opened it by key or pointer goes on in it; who came by its URL begins where pages begin.
  onMount(() => document.activeElement?.closest("[data-node], [role=row]") && panel.focus({ preventScroll: true }));
  return (
    <aside
      ref={panel}
      class={styles.members}
      aria-label={`Calls of ${props.node.name.slice(0, 200)}`}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        props.onClose();
      }}
    >
      <header class={styles.head}>
        <h2 class="cut" title={props.node.name.slice(0, 500)}>
          {props.node.name}
        </h2>
        <span class="number soft">×{count(props.node.count)}</span>
        <IconButton icon="cross" label="Close (Escape)" onClick={() => props.onClose()} />
      </header>
      <Show when={props.tally}>
        {(tally) => (
          <div class={styles.sum}>
            <StateMeter counts={tally().counts} label="Calls" />
            <span class="soft number">{progress({ ...tally(), inner: undefined })}</span>
          </div>
        )}
      </Show>
      <VirtualTable
        label="Calls"
        rows={rows()}
        columns={columns()}
        rowKey={(call) => call.id}
        rowHeight={30}
        onOpen={(call) => !props.node.is_flow && props.onOpen(call.id)}
        isSelected={(call) => call.id === props.selected}
        empty={<p class={styles.none}>They are being read, or too many to be listed here.</p>}
      />
    </aside>
  );
}
