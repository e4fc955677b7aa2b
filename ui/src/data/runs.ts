/** Lists of runs, read page by page and kept up to date by the live stream. */

import { batch, createEffect, createMemo, createSignal, on, onCleanup, untrack } from "solid-js";
import type { Accessor } from "solid-js";
import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import { live } from "~/lib/live";
import { isFinal } from "~/lib/state";
import { fits, newer, taken, timeOfId, without } from "./run-list";
import type { Run, RunsFilter } from "./run-list";

export { fits, newer };
export type { Run, RunsFilter };

/** Runs of the first page of a list, and of those after it. */
export const PAGE = 100;
const NEXT_PAGES = 200;
/** The most runs that a list holds. */
export const MOST = 20_000;
/** Pages that are looked at for one page of runs that fit. Each looks at a thousand runs at most. */
const LOOKS = 10;
/** Runs that are read anew at once, where all have to be. */
const AGAIN = 1_000;
/** Milliseconds in which subflow runs, of which the stream of all runs tells nothing, may be behind. */
const BEHIND = 1_500;
/** How many lists are kept for whoever comes back to them, and for how many milliseconds. */
const KEPT = 4;
const KEPT_FOR = 300_000;

interface Kept {
  runs: readonly Run[];
  next: string;
  /** Change number up to which it heard of all runs, and after how many resets of the stream. */
  told: number;
  resets: number;
  at: number;
}
const lists = new Map<string, Kept>();

interface Reading {
  /** From which run on, "" for the newest. */
  before: string;
  /** How many runs to find. */
  want: number;
  /** What is shown goes only when as many were read anew. */
  quietly: boolean;
  /** What is older than those stays. */
  keepsRest?: boolean;
}

/** A list of runs, newest first: one page of them, and more when asked for. */
export function useRuns(told: Accessor<RunsFilter>, options: { limit?: number } = {}) {
  const limit = options.limit ?? PAGE;
  const filter = createMemo(told);
  const key = createMemo(() => JSON.stringify([filter(), limit]));
  const kept = takeOut(untrack(key));
  const [runs, setRuns] = createSignal<readonly Run[]>(kept?.runs ?? []);
  /** Where to go on; "" at the end, `undefined` until something was read. */
  const [next, setNext] = createSignal<string | undefined>(kept?.next);
  const [error, setError] = createSignal<Error | null>(null);
  const [isReading, setReading] = createSignal(false);
  const [stopped, setStopped] = createSignal(false);

  let current: AbortController | undefined;
  let last: Reading = { before: "", want: limit, quietly: false };
  /** What was told while pages are on their way, which may be older. */
  const heard = new Map<string, Run>();
  const deleted = new Set<string>();

  const isInReach = (run: Run) => run.id >= (next() ?? "");
  const belongs = (run: Run, isThere: boolean) => fits(run, filter(), isThere) && (isThere || isInReach(run));
  const bounded = (now: readonly Run[]) => {
    if (now.length <= MOST) return now;
    setNext(now[MOST - 1]!.id);
    return now.slice(0, MOST);
  };

  /** Runs of a page, each as it is by what was told meanwhile. */
  const fresh = (page: readonly Run[]) =>
    page.flatMap((run) => {
      const now = newer(run, heard.get(run.id));
      return deleted.has(run.id) || (now !== run && !fits(now, filter(), true)) ? [] : [now];
    });
  /** What is shown once runs were read, from the newest one on. */
  const instead = (all: readonly Run[], gathered: readonly Run[], how: Reading, reached: string) =>
    how.keepsRest && reached ? [...gathered, ...all.filter((run) => run.id < reached)] : gathered;

  async function read(how: Reading): Promise<void> {
    current?.abort();
    const mine = (current = new AbortController());
    last = how;
    const which = filter();
    heard.clear();
    deleted.clear();
    setReading(true);
    setError(null);
    setStopped(false);
    try {
      if (!how.before) await live.ready();
      let { before } = how;
      let found = 0;
      let gathered: readonly Run[] = [];
      for (let looks = 1; !mine.signal.aborted; looks += 1) {
        const size = before || how.quietly ? Math.min(NEXT_PAGES, Math.max(limit, how.want - found)) : limit;
        const page = await readPage(which, before, size, mine.signal);
        if (mine.signal.aborted) return;
        found += page.runs.length;
        gathered = taken(gathered, fresh(page.runs), () => true);
        const isDone = !page.next || found >= how.want;
        if (!how.quietly || isDone || looks >= LOOKS) {
          const isAnew = !how.before && (how.quietly || !before);
          batch(() => {
            const all = runs();
            const rest = how.keepsRest && page.next && (all.at(-1)?.id ?? "") < page.next;
            if (!rest) setNext(page.next);
            const now = isAnew ? instead(all, gathered, how, page.next) : taken(all, gathered, () => true);
            setRuns(bounded(taken(now, heard.values(), belongs)));
            setStopped(!isDone && looks >= LOOKS);
          });
        }
        if (isDone || looks >= LOOKS) return;
        before = page.next;
      }
    } catch (problem) {
      if (!mine.signal.aborted) setError(problem as Error);
    } finally {
      if (current === mine) {
        current = undefined;
        setReading(false);
      }
    }
  }

  const readAnew = () => read({ before: "", want: Math.min(AGAIN, Math.max(limit, runs().length)), quietly: true });
  const readMore = () => {
    const before = next();
    if (!before || isReading() || runs().length >= MOST) return;
    void read({ before, want: limit, quietly: false });
  };

  createEffect(
    on(key, (_, before) => {
      if (before === undefined && kept) return live.catchUp(kept.told);
      // What is there and fits stays until the server has told; nothing is known of its end.
      batch(() => {
        setRuns((all) => all.filter((run) => fits(run, filter())));
        setNext(undefined);
      });
      void read({ before: "", want: limit, quietly: false });
    }),
  );
  onCleanup(() => {
    const reached = next();
    const told = live.told();
    if (reached !== undefined && told && !current && !filter().subflows)
      keep(key(), { runs: runs(), next: reached, told, resets: live.resets, at: Date.now() });
    current?.abort();
  });

  let behind: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(behind));
  const readSubflows = () => {
    behind = undefined;
    if (current) return void (behind = setTimeout(readSubflows, BEHIND));
    const open = runs().findLastIndex((run) => !isFinal(run.state)) + 1;
    void read({ before: "", want: Math.min(AGAIN, Math.max(limit, open)), quietly: true, keepsRest: true });
  };
  live.hear("flow-runs", (items) => {
    if (current) for (const item of items) heard.set(item.id, item);
    setRuns((all) => bounded(taken(all, items, belongs)));
    if (filter().subflows) behind ??= setTimeout(readSubflows, BEHIND);
  });
  live.hear("deleted", (ids) => {
    if (current) for (const id of ids) deleted.add(id);
    setRuns((all) => without(all, ids));
  });
  live.hear("reset", () => void readAnew());

  const more = () => Boolean(next()) || next() === undefined;
  const query = {
    /** Once something was read. */
    get data() {
      return next() === undefined ? undefined : runs();
    },
    get error() {
      return error();
    },
    get isFetching() {
      return isReading();
    },
    get hasNextPage() {
      return more();
    },
    fetchNextPage: readMore,
    refetch: () => (error() ? read(last) : readAnew()),
  };
  return {
    query,
    runs,
    /** Whether there may be more than these. */
    more,
    readMore,
    /** Whether it was looked for long enough without enough being found: one has to ask for more. */
    stopped,
    isFull: () => runs().length >= MOST,
    /** Up to which time, back from now, runs were looked at; 0 for all of them. */
    lookedTo: () => timeOfId(next() ?? ""),
  };
}

function readPage(
  filter: RunsFilter,
  before: string,
  limit: number,
  signal: AbortSignal,
): Promise<Shapes["RunPageShape"]> {
  const query = { ...filter, before, limit } as never;
  return answered(api.GET("/api/flow-runs", { params: { query }, signal }));
}

function keep(key: string, list: Kept): void {
  lists.delete(key);
  lists.set(key, list);
  if (lists.size > KEPT) lists.delete(lists.keys().next().value!);
}

function takeOut(key: string): Kept | undefined {
  const found = lists.get(key);
  lists.delete(key);
  return found && found.resets === live.resets && Date.now() - found.at < KEPT_FOR ? found : undefined;
}
