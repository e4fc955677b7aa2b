/** The newest runs of a flow, oldest first: each by its state, as high as it took long. A press on one leads to it. */

import { A } from "@solidjs/router";
import { Index, createMemo } from "solid-js";
import { createdOf, idOf, stateNameOf, stateOf, tookOf } from "~/data/flow-list";
import type { Outcome } from "~/data/flow-list";
import { paths } from "~/lib/paths";
import { lookOf } from "~/lib/state";
import { duration, exact } from "~/lib/times";
import { heightsOf, stripTold } from "./strip";
import styles from "./outcome-strip.module.css";

export function OutcomeStrip(props: { outcomes: readonly Outcome[]; now: number }) {
  const oldestFirst = createMemo(() => props.outcomes.toReversed());
  const heights = createMemo(() => heightsOf(oldestFirst(), props.now));
  const title = (one: Outcome) => {
    const took = tookOf(one, props.now);
    return `${stateNameOf(one)}${took ? `, took ${duration(took)}` : ""}\n${exact(createdOf(one))}`;
  };
  return (
    <span class={styles.strip}>
      <span class="sr-only">{stripTold(props.outcomes)}</span>
      <Index each={oldestFirst()}>
        {(one, n) => (
          // By keys one gets to runs through the flow: twenty stops in each row would be in the way.
          <A class={styles.bar} href={paths.run(idOf(one()))} title={title(one())} tabIndex={-1} aria-hidden="true">
            <span
              data-pattern={lookOf(stateOf(one())).pattern}
              data-state={stateOf(one())}
              style={{
                height: `${Math.round((heights()[n] ?? 1) * 100)}%`,
                color: `var(${lookOf(stateOf(one())).colour})`,
              }}
            />
          </A>
        )}
      </Index>
    </span>
  );
}
