import { Show, createMemo } from "solid-js";
import { Icon } from "~/components/icon";
import { StateBadge } from "~/components/state-badge";
import { StateMeter } from "~/components/state-meter";
import { VirtualTable } from "~/components/virtual-table";
import type { Column } from "~/components/virtual-table";
import type { GraphShape } from "~/graph/dag/shown";
import { counted, progress, spans, told } from "~/graph/dag/tally";
import type { Tally } from "~/graph/dag/tally";
import { count } from "~/lib/numbers";
import { createNow } from "~/lib/times";
import { listed } from "./graph-model";
import type { Listed } from "./graph-model";
import styles from "./graph.module.css";

/** Pixels that what a subflow made is moved in. */
const INDENT = 18;

/** The graph as a list: the same nodes in the order of their calls, with what each comes after. */
export function NodeList(props: {
  graph: GraphShape;
  root: string;
  find: string;
  tally: (node: string) => Tally | undefined;
  selected: string;
  onOpen: (node: string) => void;
}) {
  const now = createNow(1000);
  const rows = createMemo(() => {
    const wanted = props.find.trim().toLowerCase();
    const all = listed(props.graph, props.root);
    return wanted ? all.filter(({ node }) => node.name.toLowerCase().includes(wanted)) : all;
  });
  const of = (row: Listed) => props.tally(row.node.id) ?? told(row.node);
  const columns: Column<Listed>[] = [
    {
      key: "state",
      title: "State",
      width: "110px",
      cell: (row) => <StateBadge state={of(row).state} name={row.node.count === 1 ? of(row).stateName : undefined} />,
    },
    {
      key: "name",
      title: "Node",
      width: "minmax(96px, 2fr)",
      cell: (row) => (
        <span class={styles.named} style={{ "padding-left": `${Math.min(row.depth, 8) * INDENT}px` }}>
          <Show when={row.node.is_flow}>
            <Icon name="flow" size={13} />
          </Show>
          <span class="cut" title={row.node.name.slice(0, 500)}>
            {row.node.name}
          </span>
          <Show when={row.node.count > 1}>
            <span class="soft number">×{count(row.node.count)}</span>
          </Show>
        </span>
      ),
    },
    {
      key: "progress",
      title: "Progress",
      width: "minmax(150px, 1fr)",
      wideOnly: true,
      cell: (row) => (
        <span class={styles.progress}>
          <StateMeter counts={counted(of(row)).counts} />
          <span class="number soft">{row.node.count > 1 || row.node.is_flow ? progress(of(row)) : ""}</span>
        </span>
      ),
    },
    {
      key: "took",
      title: "Took",
      width: "minmax(108px, 130px)",
      right: true,
      cell: (row) => (
        <span class={`number cut ${styles.small}`} title={spans(of(row), now())}>
          {spans(of(row), now())}
        </span>
      ),
    },
    {
      key: "after",
      title: "After",
      width: "minmax(90px, 1fr)",
      wideOnly: true,
      cell: (row) => (
        <span class="cut soft" title={row.after.slice(0, 500)}>
          {row.after}
        </span>
      ),
    },
  ];
  return (
    <VirtualTable
      label="Nodes of the graph"
      rows={rows()}
      columns={columns}
      rowKey={(row) => row.node.id}
      onOpen={(row) => props.onOpen(row.node.id)}
      isSelected={(row) => row.node.id === props.selected}
      empty={<p class={styles.none}>No node has this in its name.</p>}
    />
  );
}
