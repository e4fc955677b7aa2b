/** What is told of what one points at. */

import { Show } from "solid-js";
import { StateBadge } from "~/components/state-badge";
import { attemptsOf, awaitsRetry, isReused } from "~/graph/timeline/model";
import type { Tried } from "~/graph/timeline/model";
import { plural } from "~/lib/numbers";
import { clock, duration } from "~/lib/times";
import { statesIn } from "./words";
import type { Thing } from "./words";
import styles from "./timeline.module.css";

/** Characters of what a state says; the panel of the task has all of it. */
const MOST = 300;

export function Tooltip(props: {
  thing: Thing;
  tried: readonly Tried[] | undefined;
  now: number;
  x: number;
  y: number;
  width: number;
  height: number;
}) {
  // Beside the pointer, on the side where there is room.
  const place = () => {
    const left = props.x > props.width / 2;
    const above = props.y > props.height / 2;
    const x = left ? props.x - 14 : props.x + 14;
    const y = above ? props.y - 12 : props.y + 16;
    return `translate(${x}px, ${y}px) translate(${left ? "-100%" : "0"}, ${above ? "-100%" : "0"})`;
  };
  const piece = () => props.thing.piece;
  const shown = () => props.thing.at ?? piece();
  const attempts = () => attemptsOf(piece()!, props.tried);
  const before = () => attempts().findLast((one) => one.attempt < shown()!.attempt);
  const waited = () => (shown()!.started ? shown()!.started - (before()?.ended ?? piece()!.created) : 0);
  return (
    <div class={styles.tooltip} style={{ transform: place() }} aria-hidden="true">
      <Show
        when={piece() && shown()}
        fallback={
          <>
            <strong class="told">{props.thing.row.label.slice(0, MOST)}</strong>
            <span>{plural(props.thing.row.pieces.length, "run")}</span>
            <span class="soft">{statesIn(props.thing.row.pieces)}</span>
          </>
        }
      >
        {(shown) => (
          <>
            <strong class="told">{piece()!.name.slice(0, MOST)}</strong>
            <span class={styles.tooltipState}>
              <StateBadge state={shown().state} name={shown().stateName} />
              <Show when={piece()!.attempt > 1 || attempts().length > 1}>
                <span>
                  attempt {shown().attempt} of {Math.max(piece()!.attempt, attempts().length)}
                </span>
              </Show>
              <Show when={isReused(piece()!)}>
                <span>reused</span>
              </Show>
            </span>
            <span class="number">
              <Show when={shown().started} fallback={<>Made {clock(piece()!.created)}</>}>
                {clock(shown().started)}
                <Show when={shown().ended}> – {clock(shown().ended)}</Show>
              </Show>
            </span>
            <span class="number">
              <Show when={shown().started && (props.thing.at || !awaitsRetry(piece()!, props.tried ?? []))}>
                Took <b>{duration((shown().ended || props.now) - shown().started)}</b>
              </Show>
              <Show when={waited() >= 0.001}> after waiting {duration(waited())}</Show>
            </span>
            <Show when={shown().message}>
              <span class="told soft">{shown().message.slice(0, MOST)}</span>
            </Show>
            <Show when={piece()!.reason}>
              <span class="told soft">{piece()!.reason.slice(0, MOST)}</span>
            </Show>
          </>
        )}
      </Show>
    </div>
  );
}
