import { For, Show, createMemo } from "solid-js";
import { Icon } from "~/components/icon";
import { StateMeter } from "~/components/state-meter";
import { count } from "~/lib/numbers";
import { lookOf } from "~/lib/state";
import { createNow } from "~/lib/times";
import { CELL, columnsOf, isMany } from "./sizes";
import type { Box } from "./plan";
import type { ShownNode } from "./shown";
import { counted, shining, spans } from "./tally";
import type { Call, Tally } from "./tally";
import { lower, said } from "./words";
import styles from "./dag-node.module.css";

/** Calls of an open map, one by one, and how many more there are. */
export interface Cells {
  calls: readonly (Call & { label: string })[];
  more: number;
}

export interface NodeProps {
  shown: ShownNode;
  box: Box;
  tally: Tally;
  cells?: Cells;
  isPale: boolean;
  isSelected: boolean;
  /** Whether Tab comes to it. */
  isActive: boolean;
  onFocus: () => void;
  onOpen: () => void;
  onToggle: () => void;
  onCell: (id: string) => void;
}

export function DagNode(props: NodeProps) {
  const node = () => props.shown.node;
  const look = createMemo(() => lookOf(props.tally.state));
  const hasState = () => props.tally.state !== "";
  const shine = () => lookOf(shining(props.tally));
  const now = createNow(1000);
  const at = () => (props.tally.since ? now() : 0);
  const isGroup = () => props.shown.isOpen && !node().is_map;
  const told = createMemo(() => said(node(), props.tally, at()));
  return (
    <div
      class={styles.node}
      classList={{
        [styles.group!]: isGroup(),
        [styles.several!]: node().count > 1 && !props.shown.isOpen,
        [styles.pale!]: props.isPale,
        [styles.selected!]: props.isSelected,
        [styles.wrong!]: hasState() && shining(props.tally) !== props.tally.state,
        [styles.parameter!]: node().is_parameter,
      }}
      data-node={node().id}
      style={{
        transform: `translate(${props.box.x}px, ${props.box.y}px)`,
        width: `${props.box.width}px`,
        height: `${props.box.height}px`,
        color: hasState() ? `var(${shine().colour})` : undefined,
      }}
    >
      <span class={styles.stripe} data-pattern={hasState() ? shine().pattern : "none"} />
      <button
        type="button"
        class={styles.open}
        tabIndex={props.isActive ? 0 : -1}
        title={told()}
        onFocus={() => props.onFocus()}
        onClick={() => props.onOpen()}
      >
        {/* What is seen is short; who cannot see it is told the whole. */}
        <span class="sr-only">{told()}</span>
        <span class={styles.first} aria-hidden="true">
          <Show
            when={hasState()}
            fallback={
              <Icon
                name={node().is_flow ? "flow" : node().is_parameter ? "braces" : "dots"}
                size={13}
                class={styles.unknown}
              />
            }
          >
            <span class={styles.state} style={{ color: `var(${look().colour})` }}>
              <Icon name={look().icon} size={13} class={props.tally.state === "RUNNING" ? styles.running : ""} />
            </span>
          </Show>
          <span class={`cut ${styles.name}`}>{node().name}</span>
          <Show when={node().count > 1}>
            <span class={styles.times}>×{count(node().count)}</span>
          </Show>
          <Show when={node().is_flow}>
            <Icon name="flow" size={13} class={styles.kind} />
          </Show>
        </span>
        <span class={styles.second} aria-hidden="true">
          <Show when={isMany(props.shown) && counted(props.tally).total > 0}>
            <span class={styles.meter}>
              <StateMeter counts={counted(props.tally).counts} />
            </span>
          </Show>
          <span class="cut">{lower(props.shown, props.tally, at())}</span>
          <Show when={isGroup()}>
            <span class={styles.span}>{spans(props.tally, at())}</span>
          </Show>
        </span>
      </button>
      <Show when={props.shown.opens}>
        <button
          type="button"
          class={styles.fold}
          tabIndex={-1}
          aria-expanded={props.shown.isOpen}
          aria-label={`${props.shown.isOpen ? "Fold" : "Unfold"} ${node().name.slice(0, 100)}`}
          title={props.shown.isOpen ? "Fold (space)" : "Unfold (space)"}
          onClick={() => props.onToggle()}
        >
          <Icon name={props.shown.isOpen ? "minus" : "plus"} size={13} />
        </button>
      </Show>
      <Show when={props.shown.isOpen && node().is_map && props.cells}>
        {(cells) => (
          <div class={styles.cells}>
            <div
              class={styles.grid}
              style={{
                "grid-template-columns": `repeat(${columnsOf(cells().calls.length)}, ${CELL}px)`,
              }}
            >
              <For each={cells().calls}>
                {(call) => (
                  <button
                    type="button"
                    class={styles.cell}
                    tabIndex={-1}
                    data-pattern={lookOf(call.state).pattern}
                    aria-label={`${call.label}: ${call.stateName}`}
                    title={`${call.label}: ${call.stateName}`}
                    style={{ color: `var(${lookOf(call.state).colour})` }}
                    onClick={() => props.onCell(call.id)}
                  />
                )}
              </For>
            </div>
            <Show when={cells().more > 0}>
              <button type="button" class={styles.more} tabIndex={-1} onClick={() => props.onOpen()}>
                and {count(cells().more)} more
              </button>
            </Show>
          </div>
        )}
      </Show>
    </div>
  );
}
