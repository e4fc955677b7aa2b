import { Show, createMemo } from "solid-js";
import { Button, IconButton } from "~/components/button";
import { Input } from "~/components/field";
import { count, plural } from "~/lib/numbers";
import type { Direction } from "~/graph/dag/plan";
import type { GraphShape } from "~/graph/dag/shown";
import styles from "./graph.module.css";

/** What can be done with the graph as a whole. */
export function Toolbar(props: {
  graph: GraphShape;
  /** The node that is the run itself, which does not count. */
  root: string;
  direction: Direction;
  isList: boolean;
  /** Whether something is unfolded. */
  isOpen: boolean;
  foldable: readonly string[];
  find: string;
  hits: number;
  /** The hit that one went to; -1 for none. */
  at: number;
  onFind: (text: string) => void;
  onStep: (by: number) => void;
  set: (change: Record<string, string | string[] | undefined>) => void;
}) {
  const isDown = () => props.direction === "down";
  const nodes = createMemo(() => props.graph.nodes.filter((node) => node.id !== props.root));
  const calls = () => nodes().reduce((sum, node) => sum + node.count, 0);
  const told = () => {
    if (!props.find.trim()) return "";
    if (!props.hits) return "No match";
    return props.at >= 0 ? `${count(props.at + 1)} of ${count(props.hits)}` : plural(props.hits, "match", "matches");
  };
  return (
    <div class={styles.toolbar} role="toolbar" aria-label="Graph">
      <Input
        type="search"
        class={styles.find}
        placeholder="Find nodes"
        aria-label="Find nodes by name"
        value={props.find}
        onInput={(event) => props.onFind(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          props.onStep(event.shiftKey ? -1 : 1);
        }}
      />
      <span class={styles.told} role="status">
        {told()}
      </span>
      <Show when={props.hits > 0 && !props.isList}>
        <IconButton icon="up" label="Match before (Shift Enter)" onClick={() => props.onStep(-1)} />
        <IconButton icon="down" label="Next match (Enter)" onClick={() => props.onStep(1)} />
      </Show>
      <span class={`${styles.total} soft`}>
        {plural(nodes().length, "node")}
        <Show when={calls() > nodes().length}>, {plural(calls(), "call")}</Show>
      </span>
      <Show when={!props.isList}>
        <Show when={props.foldable.length > 0}>
          <Button
            icon={props.isOpen ? "minus" : "plus"}
            aria-label={props.isOpen ? "Fold all" : "Unfold subflows"}
            onClick={() => props.set({ open: props.isOpen ? undefined : [...props.foldable].slice(0, MOST_OPEN) })}
          >
            <span class={styles.word}>{props.isOpen ? "Fold all" : "Unfold subflows"}</span>
          </Button>
        </Show>
        <Button
          icon={isDown() ? "down" : "right"}
          title="Direction of the graph"
          aria-label={`Direction: ${isDown() ? "top down" : "left to right"}`}
          onClick={() => props.set({ dir: isDown() ? undefined : "down" })}
        >
          <span class={styles.word}>{isDown() ? "Top down" : "Left to right"}</span>
        </Button>
      </Show>
      <Button
        icon="list"
        aria-label="As list"
        aria-pressed={props.isList}
        onClick={() => props.set({ as: props.isList ? undefined : "list" })}
      >
        <span class={styles.word}>As list</span>
      </Button>
    </div>
  );
}

/** Subflows that a URL can name. */
const MOST_OPEN = 40;
