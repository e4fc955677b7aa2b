/** Beside the lines: where in the whole log they lie, and where it warned or went wrong. It is a scroll bar for pointers. */

import { Show, createEffect, createSignal, onCleanup, onMount } from "solid-js";
import { count } from "~/lib/numbers";
import { colour } from "~/lib/theme";
import type { Marks } from "./marks";
import styles from "./log-bar.module.css";

/** Pixels. */
const LEAST = 22;
const MARK = 6;

export function LogBar(props: {
  first: number;
  last: number;
  top: number;
  bottom: number;
  /** How much is seen of the lines that are loaded. */
  share: number;
  following: boolean;
  marks: Marks;
  onGo: (number: number, isOver: boolean) => void;
}) {
  let bar!: HTMLDivElement;
  let canvas!: HTMLCanvasElement;
  const [height, setHeight] = createSignal(0);
  /** Where it is held: the number there. */
  const [held, setHeld] = createSignal<number>();
  const span = () => Math.max(1, props.last - props.first);
  const thumb = () => {
    // Numbers have gaps: what is seen is never more of all than of what is loaded.
    const part = Math.min(props.share, (props.bottom - props.top) / span());
    const size = Math.min(height(), Math.max(LEAST, part * height()));
    const at = held();
    const share = at !== undefined ? shareOf(at) : props.following ? 1 : shareOf(props.top) / shareMost();
    return { top: Math.max(0, Math.min(1, share)) * (height() - size), size };
  };
  const shareOf = (number: number) => (number - props.first) / span();
  /** What the line at the top comes to where the bottom is at the end. */
  const shareMost = () => Math.max(0.0001, 1 - (props.bottom - props.top) / span());

  const numberAt = (event: PointerEvent) => {
    const { top } = bar.getBoundingClientRect();
    const { size } = thumb();
    const share = (event.clientY - top - size / 2) / Math.max(1, height() - size);
    return Math.round(props.first + Math.max(0, Math.min(1, share)) * span());
  };
  const move = (event: PointerEvent, isOver: boolean) => {
    const number = numberAt(event);
    setHeld(isOver ? undefined : number);
    props.onGo(number, isOver);
  };

  onMount(() => {
    const watch = new ResizeObserver(() => setHeight(bar.clientHeight));
    watch.observe(bar);
    onCleanup(() => watch.disconnect());
  });
  createEffect(() => {
    const [scale, width, tall] = [devicePixelRatio, canvas.clientWidth, height()];
    canvas.width = Math.max(1, width * scale);
    canvas.height = Math.max(1, tall * scale);
    const context = canvas.getContext("2d");
    if (!context || !tall) return;
    context.scale(scale, scale);
    const oldest = props.marks.lines[0];
    if (props.marks.more && oldest) {
      // Before this one nobody has looked.
      context.strokeStyle = colour("--line-strong");
      context.beginPath();
      for (let at = -width; at < shareOf(oldest.number) * tall; at += 9) {
        context.moveTo(0, at + width);
        context.lineTo(width, at);
      }
      context.stroke();
    }
    for (const [levels, property] of [
      [["WARNING"], "--waiting"],
      [["ERROR", "CRITICAL"], "--bad"],
    ] as const) {
      context.fillStyle = colour(property);
      for (const mark of props.marks.lines) {
        if (!(levels as readonly string[]).includes(mark.level)) continue;
        context.fillRect(width - MARK, shareOf(mark.number) * (tall - 2), MARK, 2);
      }
    }
  });

  return (
    <div
      ref={bar}
      class={styles.bar}
      aria-hidden="true"
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        bar.setPointerCapture(event.pointerId);
        event.preventDefault();
        move(event, false);
      }}
      onPointerMove={(event) => held() !== undefined && move(event, false)}
      onPointerUp={(event) => held() !== undefined && move(event, true)}
      onPointerCancel={() => setHeld(undefined)}
    >
      <canvas ref={canvas} class={styles.marks} />
      <Show when={props.last > props.first}>
        <div
          class={styles.thumb}
          classList={{ [styles.held!]: held() !== undefined }}
          style={{ height: `${thumb().size}px`, transform: `translateY(${thumb().top}px)` }}
        >
          <Show when={held() !== undefined}>
            <span class={styles.label}>{count(held()!)}</span>
          </Show>
        </div>
      </Show>
    </div>
  );
}
