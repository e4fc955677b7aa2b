import { For, Show, createMemo } from "solid-js";
import { curve, head } from "./curves";
import type { Drawn } from "./drawn";
import type { Route } from "./plan";
import styles from "./dag-view.module.css";

/** Lines between nodes, as few paths: all of a kind are one. */
export function DagLines(props: { drawn: Drawn; routes: readonly Route[]; lit?: ReadonlySet<string> }) {
  const links = (route: Route) => route.links.map((link) => props.drawn.shown.links[link]!);
  const isLit = (route: Route) => Boolean(props.lit?.has(route.source) && props.lit.has(route.target));
  const kinds = createMemo(() => {
    const of: Record<"takes" | "calls" | "lit", Route[]> = { takes: [], calls: [], lit: [] };
    for (const route of props.routes) {
      if (isLit(route)) of.lit.push(route);
      else of[links(route).some(({ takes }) => takes) ? "takes" : "calls"].push(route);
    }
    return of;
  });
  const lines = (routes: readonly Route[]) => routes.map(({ points }) => curve(points, props.drawn.direction)).join("");
  const heads = (routes: readonly Route[]) => routes.map(({ points }) => head(points, props.drawn.direction)).join("");
  const labels = createMemo(() =>
    kinds()
      .lit.map((route) => ({
        route,
        label: links(route)
          .map((link) => link.label)
          .filter(Boolean)
          .join(", "),
      }))
      .filter(({ label }) => label)
      .slice(0, 40),
  );
  return (
    <svg
      class={styles.lines}
      classList={{ [styles.pale!]: Boolean(props.lit) }}
      width="1"
      height="1"
      aria-hidden="true"
    >
      <path class={styles.line} d={lines(kinds().takes)} />
      <path class={`${styles.line} ${styles.calls}`} d={lines(kinds().calls)} />
      <path class={styles.head} d={heads([...kinds().takes, ...kinds().calls])} />
      <Show when={kinds().lit.length > 0}>
        <path class={`${styles.line} ${styles.lit}`} d={lines(kinds().lit)} />
        <path class={`${styles.head} ${styles.lit}`} d={heads(kinds().lit)} />
      </Show>
      <For each={labels()}>
        {({ route, label }) => (
          <text
            class={styles.label}
            x={route.points.at(-2)! - (props.drawn.direction === "right" ? 9 : -6)}
            y={route.points.at(-1)! - 6}
            text-anchor={props.drawn.direction === "right" ? "end" : "start"}
          >
            {label.slice(0, 40)}
          </text>
        )}
      </For>
    </svg>
  );
}
