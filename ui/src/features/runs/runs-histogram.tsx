/** How many runs were made when, in the time that the list shows; a part of it can be chosen. */

import { useQuery } from "@tanstack/solid-query";
import { For, Show, createMemo, createSignal, onCleanup, onMount } from "solid-js";
import { Icon } from "~/components/icon";
import type { Run, RunsFilter } from "~/data/runs";
import { StateHistogram } from "~/graph/state-histogram";
import { answered, api } from "~/lib/http";
import { live } from "~/lib/live";
import { count, plural } from "~/lib/numbers";
import { countsInOrder, lookOf } from "~/lib/state";
import { createNow, duration, secondsOf } from "~/lib/times";
import { countsOfHistory, countsOfRuns, emptyBuckets, fill, stepFor, totals } from "./bins";
import { told } from "./view";
import type { View } from "./view";
import styles from "./runs-histogram.module.css";

const HOUR = 3600;
const DAY = 24 * HOUR;
/** The longest time of which the server counts by the hour. */
const BY_HOUR = 31 * DAY;
/** Milliseconds until it is counted anew after a run changed. */
const BEHIND = 2_000;
const WIDE = 72;
const NARROW = 30;

export function RunsHistogram(props: {
  view: View;
  filter: RunsFilter;
  runs: readonly Run[];
  /** Whether those are all runs that fit. */
  isAll: boolean;
  onSelect: (since: string, until: string) => void;
  onClear: () => void;
  onState: (state: string) => void;
}) {
  const minute = createNow(60_000);
  const [narrow, setNarrow] = createSignal(innerWidth < 700);
  onMount(() => {
    const watch = () => setNarrow(innerWidth < 700);
    addEventListener("resize", watch);
    onCleanup(() => removeEventListener("resize", watch));
  });
  const most = () => (narrow() ? NARROW : WIDE);
  const since = () => (props.filter.since ? secondsOf(props.filter.since) : 0);
  const until = () => (props.filter.until ? secondsOf(props.filter.until) : 0);
  /** What history does not know: it counts runs by flow and state alone. */
  const isNarrowed = () =>
    Boolean(props.view.text || props.view.tag.length || props.view.parameter.length || props.view.subflows);

  const asked = createMemo(
    () => {
      const to = until() || minute();
      const from = since() || to - 30 * DAY;
      return { from, to, byHour: to - from <= BY_HOUR };
    },
    undefined,
    { equals: (one, other) => one?.from === other.from && one?.to === other.to },
  );
  const history = useQuery(() => ({
    queryKey: ["history", "runs", props.view.flow, props.filter.since ?? "", props.filter.until ?? ""],
    enabled: !props.isAll && asked().to > asked().from,
    queryFn: ({ signal }) => {
      const { from, to, byHour } = asked();
      const query = {
        flow: props.view.flow,
        since: told(from),
        until: until() ? told(to) : undefined,
        bucket: byHour ? ("hour" as const) : ("day" as const),
      };
      return answered(api.GET("/api/history", { params: { query }, signal }));
    },
    placeholderData: (before) => before,
  }));
  let behind: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(behind));
  const again = () => {
    if (props.isAll) return;
    behind ??= setTimeout(() => {
      behind = undefined;
      void history.refetch();
    }, BEHIND);
  };
  live.hear("flow-runs", again);
  live.hear("deleted", again);
  live.hear("reset", again);

  const buckets = createMemo(() => {
    const offset = -new Date().getTimezoneOffset() * 60;
    const to = until() || minute();
    if (props.isAll) {
      const oldest = props.runs.at(-1);
      const newest = props.runs[0];
      const from = since() || (oldest ? secondsOf(oldest.created) : to - HOUR);
      const end = until() || Math.max(to, newest ? secondsOf(newest.created) + 1 : 0);
      const step = stepFor(end - from, most(), 1);
      return fill(emptyBuckets(from, end, step, offset), countsOfRuns(props.runs));
    }
    const counted = (history.isSuccess && history.data.buckets) || [];
    const { byHour } = asked();
    const first = counted[0] ? Math.max(secondsOf(counted[0].start), asked().from) : to - DAY;
    const from = since() || Math.min(first, to - DAY);
    const step = stepFor(to - from, most(), byHour ? HOUR : DAY);
    // Days that the server counted are those of UTC.
    return fill(emptyBuckets(from, to, step, byHour ? offset : 0), countsOfHistory(counted, props.view.state));
  });
  const step = () => (buckets()[0] ? buckets()[0]!.end - buckets()[0]!.start : 0);
  const sums = createMemo(() => totals(buckets()));
  const sum = () => Object.values(sums()).reduce((all, n) => all + n, 0);
  const selected = (): [number, number] | undefined => {
    const [first, last] = [buckets()[0], buckets().at(-1)];
    // Where all of it is chosen there is nothing to mark.
    return first && last && since() && until() && (since() > first.start || until() < last.end)
      ? [since(), until()]
      : undefined;
  };
  const hasTime = () => Boolean(props.filter.since || props.filter.until);
  const about = () => (hasTime() || props.isAll ? "" : " in the last 30 days");
  return (
    <Show when={sum() || hasTime()}>
      <section class={styles.histogram} aria-label="Runs over time">
        <div class={styles.caption}>
          <span class="number">
            {plural(sum(), "run")}
            {about()}
          </span>
          <For each={countsInOrder(sums())}>
            {([state, n]) => (
              <button
                type="button"
                class={styles.state}
                style={{ color: `var(${lookOf(state).colour})` }}
                aria-pressed={props.view.state.length === 1 && props.view.state[0] === state}
                aria-label={`${count(n)} ${lookOf(state).label.toLowerCase()}`}
                title={`${count(n)} ${lookOf(state).label.toLowerCase()}. Press to see these alone.`}
                onClick={() => props.onState(state)}
              >
                <Icon name={lookOf(state).icon} size={12} />
                <span class="number">{count(n)}</span>
              </button>
            )}
          </For>
          <Show when={!props.isAll && isNarrowed()}>
            <span class={styles.note}>counted by flow, state and time alone</span>
          </Show>
          <span class={styles.step}>{step() ? `${duration(step()).replace(/ 00.$/, "")} per bar` : ""}</span>
        </div>
        <StateHistogram
          buckets={buckets()}
          label="Runs by the time they were made; Enter shows those of one time"
          height={narrow() ? 36 : 48}
          selected={selected()}
          onSelect={(from, to) => props.onSelect(told(from), told(to))}
          onClear={() => props.onClear()}
        />
      </section>
    </Show>
  );
}
