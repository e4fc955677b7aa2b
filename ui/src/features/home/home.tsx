/** What one sees first: whether all is well, what runs, what failed and why, what waits and for what. */

import { Show, createMemo, createSignal, onCleanup } from "solid-js";
import { useNavigate } from "@solidjs/router";
import { Button } from "~/components/button";
import { ErrorNote } from "~/components/notice";
import { Page } from "~/components/page";
import { useHistory } from "~/data/history";
import { useRuns } from "~/data/runs";
import { StateHistogram } from "~/graph/state-histogram";
import { sumOf } from "~/graph/state-histogram-layout";
import { bucketTold } from "~/graph/state-histogram-words";
import { useKeys } from "~/lib/keys";
import { paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { createNow } from "~/lib/times";
import { Failures } from "./failures";
import { figuresOf } from "./figures";
import { FiguresStrip } from "./figures-strip";
import { FirstFlow } from "./first-flow";
import { useFailures, useWaiting } from "./home-data";
import { RANGES, RANGE_LABELS, chosenOf, inUrl, rangeName, rangeOf } from "./home-range";
import type { Range } from "./home-range";
import { Legend } from "./legend";
import { Newest } from "./newest";
import { RangeSwitch } from "./range-switch";
import { Running } from "./running";
import { stepThroughRows } from "./row-keys";
import { VerdictLine } from "./verdict-line";
import { Waiting } from "./waiting";
import { asks, isLate, isToCome } from "./waiting-kinds";
import styles from "./home.module.css";

/** Runs that are listed at the end. */
const NEWEST = 10;
const OF_A_TIME = 25;

export function Home() {
  const newest = useRuns(() => ({}), { limit: NEWEST });
  const isEmpty = () => newest.query.data !== undefined && !newest.runs().length && !newest.query.hasNextPage;
  return (
    <Show when={!isEmpty()} fallback={<FirstFlow />}>
      <Dashboard newest={newest} />
    </Show>
  );
}

function Dashboard(props: { newest: ReturnType<typeof useRuns> }) {
  const search = useSearch();
  const navigate = useNavigate();
  const now = createNow(10_000);
  const isNarrow = createIsNarrow();
  const name = () => rangeName(search.one("range"));
  const range = createMemo(() => rangeOf(name(), now(), isNarrow()), undefined, { equals: isSameRange });
  const chosen = createMemo(() => chosenOf(search.one("from"), search.one("to")));
  const shown = createMemo((): readonly [number, number] => chosen() ?? [range().from, range().to]);
  const told = () => {
    const [start, end] = chosen() ?? [0, 0];
    return end ? `on ${bucketTold({ start, end })}` : RANGE_LABELS[name()].told;
  };

  const history = useHistory(() => range());
  const past = useHistory(() => ({ from: range().before, to: range().from, unit: range().unit }), { live: false });
  const failures = useFailures(shown);
  const { query: waitingQuery, waiting } = useWaiting();
  const running = useRuns(() => ({ state: ["RUNNING", "CANCELLING"] }), { limit: 50 });
  // What was chosen is asked for by itself: it may begin within a bar, or lie before the time that the bars are of.
  const part = useHistory(() => {
    const [from, to] = chosen() ?? [0, 0];
    return to ? { from, to, unit: "hour" } : undefined;
  });
  const counted = () => (chosen() ? part : history);
  const figures = createMemo(() => (counted().isRead() ? figuresOf(counted().slots()) : undefined));
  const before = () => (!chosen() && past.isRead() ? figuresOf(past.slots()) : undefined);
  const toCome = () => waiting()?.waiting.filter((one) => isToCome(one, now())) ?? [];
  const waits = () => waiting()?.waiting.filter((one) => !isToCome(one, now())) ?? [];

  const late = () => waits().filter((one) => isLate(one, now())).length;

  /** All that is asked for here; where it cannot be read the reason is mostly one, and said once. */
  const asked = [
    history.query,
    part.query,
    past.query,
    failures.query,
    waitingQuery,
    running.query,
    props.newest.query,
  ];
  const problem = () => asked.map((query) => query.error).find(Boolean);
  const readAgain = () => asked.forEach((query) => query.error && void query.refetch());

  const inRange = () => ({ since: inUrl(shown()[0]), until: chosen() ? inUrl(shown()[1]) : undefined });
  const choose = (from?: number, to?: number) =>
    search.set({ from: from && to ? inUrl(from) : undefined, to: from && to ? inUrl(to) : undefined });
  useKeys(
    ...RANGES.map((one, n) => ({
      keys: String(n + 1),
      does: `Show the runs ${RANGE_LABELS[one].told}`,
      run: () => navigate(paths.home({ range: n ? one : undefined }), { scroll: false }),
    })),
    { keys: "j", does: "Next run on the page", run: () => stepThroughRows(1) },
    { keys: "k", does: "Run before on the page", run: () => stepThroughRows(-1) },
  );

  return (
    <Page
      title="Home"
      heading={
        <VerdictLine
          figures={figures()}
          open={{
            running: running.runs().length,
            late: late(),
            moreLate: late() > 0 && late() === waiting()?.waiting.length && waiting()?.more !== 0,
            asking: waits().filter(asks).length,
          }}
          when={told()}
        />
      }
      aside={<RangeSwitch current={name()} />}
    >
      <Show when={problem()}>{(error) => <ErrorNote error={error()} retry={readAgain} />}</Show>
      <FiguresStrip
        figures={figures()}
        before={before()}
        beforeTold={RANGE_LABELS[name()].before}
        links={{
          runs: paths.runs(inRange()),
          failed: paths.runs({ ...inRange(), state: ["FAILED", "CRASHED"] }),
        }}
      >
        <Legend counts={sumOf(counted().slots())} href={(state) => paths.runs({ ...inRange(), state: [state] })} />
      </FiguresStrip>
      <section aria-label="Activity">
        <StateHistogram
          label={`Runs ${RANGE_LABELS[name()].told}, by the ${range().unit === "day" ? "day" : "hour"}`}
          buckets={history.slots()}
          selected={chosen()}
          onSelect={choose}
          onClear={() => choose()}
          height={84}
        />
        <Show when={chosen()}>
          {(time) => (
            <p class={styles.chosen}>
              <span>
                Shown is <b>{bucketTold({ start: time()[0], end: time()[1] })}</b>.
              </span>
              <Button icon="cross" kind="quiet" onClick={() => choose()}>
                Show all
              </Button>
            </p>
          )}
        </Show>
      </section>
      <div class={styles.parts}>
        <div class={styles.side}>
          <Running data={running} />
          <Show when={waits().length}>
            <Waiting title="Waiting" runs={waits()} more={waiting()?.more} isCut={waiting()?.is_cut} />
          </Show>
          <Show when={toCome().length}>
            <Waiting title="Comes next" runs={toCome()} />
          </Show>
        </div>
        <Failures
          data={failures}
          range={shown()}
          told={told()}
          href={paths.runs({ ...inRange(), state: ["FAILED", "CRASHED"] })}
        />
      </div>
      <Show
        when={chosen()}
        fallback={<Newest title="Newest runs" data={props.newest} most={NEWEST} href={paths.runs()} more="All runs" />}
      >
        <OfATime search={inRange()} />
      </Show>
    </Page>
  );
}

/** Runs that were made in the time that was chosen. */
function OfATime(props: { search: { since: string; until?: string } }) {
  const runs = useRuns(() => props.search, { limit: OF_A_TIME });
  return (
    <>
      <Show when={runs.query.error}>
        {(error) => <ErrorNote error={error()} retry={() => void runs.query.refetch()} />}
      </Show>
      <Newest
        title="Runs of this time"
        data={runs}
        most={OF_A_TIME}
        href={paths.runs(props.search)}
        more="All runs of this time"
      />
    </>
  );
}

function isSameRange(one: Range, other: Range): boolean {
  return one.name === other.name && one.from === other.from && one.to === other.to && one.unit === other.unit;
}

function createIsNarrow() {
  const media = matchMedia("(max-width: 700px)");
  const [isNarrow, set] = createSignal(media.matches);
  const changed = () => set(media.matches);
  media.addEventListener("change", changed);
  onCleanup(() => media.removeEventListener("change", changed));
  return isNarrow;
}
