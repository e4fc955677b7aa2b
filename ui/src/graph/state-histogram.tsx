/**
 * How many were when in which state, as bars over time; a part of the time can be chosen in it.
 *
 * To screen readers and the keyboard it is a list of times: arrows move in it, with Shift they choose, Enter chooses one,
 * Escape lets go.
 */

import { For, Index, Show, createMemo, createSignal, createUniqueId, onCleanup, onMount } from "solid-js";
import { Icon } from "~/components/icon";
import { short } from "~/lib/numbers";
import { countsInOrder, lookOf } from "~/lib/state";
import { bucketAt, layOut, pixelAt } from "./state-histogram-layout";
import type { Bucket } from "./state-histogram-layout";
import { bucketTold, countsTold } from "./state-histogram-words";
import { ticksOf } from "./time-ticks";
import styles from "./state-histogram.module.css";

export type { Bucket } from "./state-histogram-layout";

/** Pixels that the label of a tick takes. */
const LABEL = 42;

/** Two buckets, by number; the first is where choosing began. */
type Choice = readonly [from: number, to: number];

export function StateHistogram(props: {
  /** In order; those in which nothing was counted are given too, so that there is something to point at. */
  buckets: readonly Bucket[];
  label: string;
  /** Unix seconds. */
  selected?: readonly [from: number, to: number];
  /** Called with whole buckets, in Unix seconds; without it nothing can be chosen. */
  onSelect?: (from: number, to: number) => void;
  /** Called when what is selected is to be let go. */
  onClear?: () => void;
  /** Pixels of the bars. */
  height?: number;
  /** In place of bars where there is no bucket. */
  empty?: string;
}) {
  const id = createUniqueId();
  const height = () => props.height ?? 72;
  const [width, setWidth] = createSignal(0);
  /** The bucket that is pointed at, by pointer or keyboard; -1 for none. */
  const [active, setActive] = createSignal(-1);
  const [choosing, setChoosing] = createSignal<Choice>();
  let anchor = 0;
  let plot!: HTMLDivElement;
  onMount(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    watch.observe(plot);
    onCleanup(() => watch.disconnect());
  });

  const layout = createMemo(() => layOut(props.buckets, width(), height()));
  const ticks = createMemo(() => ticksOf(layout().from, layout().to, width()));
  const pixel = (time: number) => pixelAt(layout(), time, width());
  const chosen = (): readonly [number, number] | undefined => {
    const [from, to] = choosing() ?? [];
    const [first, last] = [
      props.buckets[Math.min(from ?? -1, to ?? -1)],
      props.buckets[Math.max(from ?? -1, to ?? -1)],
    ];
    return first && last ? [first.start, last.end] : props.selected;
  };
  const isChosen = (bucket: Bucket) => {
    const range = chosen();
    return range !== undefined && bucket.end > range[0] && bucket.start < range[1];
  };
  const pointed = () => props.buckets[active()];

  const commit = () => {
    const range = choosing() && chosen();
    setChoosing(undefined);
    if (range) props.onSelect?.(range[0], range[1]);
  };
  const choose = (from: number, to: number) => {
    if (props.onSelect) setChoosing([from, to]);
  };
  const clear = () => {
    setChoosing(undefined);
    props.onClear?.();
  };

  const under = (event: PointerEvent) => bucketAt(layout(), event.clientX - plot.getBoundingClientRect().left);
  const onPointerDown = (event: PointerEvent) => {
    const at = under(event);
    if (event.button !== 0 || at < 0) return;
    setActive(at);
    if (!props.onSelect) return;
    plot.setPointerCapture(event.pointerId);
    if (!event.shiftKey) anchor = at;
    choose(anchor, at);
  };
  const onPointerMove = (event: PointerEvent) => {
    const at = under(event);
    setActive(at);
    if (choosing() && plot.hasPointerCapture(event.pointerId)) choose(anchor, at);
  };
  const onPointerLeave = (event: PointerEvent) => {
    if (!plot.hasPointerCapture(event.pointerId) && document.activeElement !== plot) setActive(-1);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const last = props.buckets.length - 1;
    const at = active();
    const to = { ArrowLeft: at < 0 ? last : at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (to !== undefined) {
      const next = Math.max(0, Math.min(last, to));
      if (!event.shiftKey) anchor = next;
      else if (!choosing()) anchor = Math.max(0, at);
      setActive(next);
      if (event.shiftKey) choose(anchor, next);
    } else if ((event.key === "Enter" || event.key === " ") && at >= 0) {
      choose(at, at);
      commit();
    } else if (event.key === "Escape" && (choosing() || props.selected)) clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  // A choice by keys is made when Shift is let go, so that holding an arrow asks for one time and not for fifty.
  const onKeyUp = (event: KeyboardEvent) => event.key === "Shift" && choosing() && commit();

  return (
    <div class={styles.frame}>
      <Show when={layout().most}>
        <span class={styles.most} aria-hidden="true">
          {short(layout().most)}
        </span>
      </Show>
      <div
        ref={plot}
        class={styles.plot}
        classList={{ [styles.choosable!]: Boolean(props.onSelect), [styles.partly!]: chosen() !== undefined }}
        style={{ height: `${height()}px` }}
        role={props.buckets.length ? "listbox" : "img"}
        aria-label={props.label}
        aria-multiselectable={props.buckets.length && props.onSelect ? true : undefined}
        aria-orientation={props.buckets.length ? "horizontal" : undefined}
        aria-activedescendant={active() >= 0 ? `${id}-${active()}` : undefined}
        tabIndex={props.buckets.length ? 0 : undefined}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={(event) => {
          if (plot.hasPointerCapture(event.pointerId)) commit();
        }}
        onPointerCancel={() => setChoosing(undefined)}
        onPointerLeave={onPointerLeave}
        onDblClick={() => props.onClear?.()}
        onKeyDown={onKeyDown}
        onKeyUp={onKeyUp}
        onFocus={() => active() < 0 && setActive(props.buckets.length - 1)}
        onBlur={() => {
          commit();
          setActive(-1);
        }}
      >
        <Show when={chosen()}>
          {(range) => (
            <span
              role="presentation"
              class={styles.range}
              style={{
                left: `${pixel(range()[0])}px`,
                width: `${Math.max(2, pixel(range()[1]) - pixel(range()[0]))}px`,
              }}
            />
          )}
        </Show>
        <Index each={props.buckets}>
          {(bucket, n) => (
            <div
              id={`${id}-${n}`}
              role="option"
              class={styles.bar}
              classList={{ [styles.chosen!]: isChosen(bucket()), [styles.active!]: n === active() }}
              aria-selected={props.onSelect ? isChosen(bucket()) : undefined}
              aria-label={`${bucketTold(bucket())}: ${countsTold(bucket().counts)}`}
              style={{ left: `${layout().bars[n]?.left ?? 0}px`, width: `${layout().bars[n]?.width ?? 0}px` }}
            >
              <Index each={layout().bars[n]?.parts ?? []}>
                {(part) => (
                  <span
                    class={styles.part}
                    data-pattern={part().height > 3 ? lookOf(part().state).pattern : "plain"}
                    style={{
                      top: `${part().top}px`,
                      height: `${part().height}px`,
                      color: `var(${lookOf(part().state).colour})`,
                    }}
                  />
                )}
              </Index>
            </div>
          )}
        </Index>
        <Show when={!props.buckets.length && props.empty}>
          <span class={styles.empty}>{props.empty}</span>
        </Show>
      </div>
      <div class={styles.axis} aria-hidden="true">
        <For each={ticks()}>
          {(tick) => (
            <span class={styles.tick} classList={{ [styles.day!]: tick.isDay }} style={{ left: `${pixel(tick.at)}px` }}>
              {/* Half a label at the end would be read as another time. */}
              {pixel(tick.at) + LABEL > width() ? "" : tick.label}
            </span>
          )}
        </For>
      </div>
      <Show when={pointed()}>
        {(bucket) => (
          <div
            class={styles.tip}
            aria-hidden="true"
            style={{ left: `clamp(0px, ${pixel((bucket().start + bucket().end) / 2)}px - 6rem, 100% - 12rem)` }}
          >
            <b>{bucketTold(bucket())}</b>
            <For each={countsInOrder(bucket().counts)} fallback={<span class="soft">None</span>}>
              {([state, n]) => (
                <span class={styles.told}>
                  <span style={{ color: `var(${lookOf(state).colour})` }}>
                    <Icon name={lookOf(state).icon} size={12} />
                  </span>
                  {lookOf(state).label}
                  <span class="number">{short(n)}</span>
                </span>
              )}
            </For>
          </div>
        )}
      </Show>
    </div>
  );
}
