/** Reads a log: opens it somewhere, loads more at both ends, and reads on at its end as its run tells of news. */

import { createEffect, createSignal, on, onCleanup } from "solid-js";
import type { Accessor } from "solid-js";
import { live } from "~/lib/live";
import { throttled } from "~/lib/throttled";
import { EMPTY, MOST, aroundOf, newestOf, withEarlier, withLater } from "./line-window";
import type { LineWindow } from "./line-window";
import { readPage } from "./lines";
import type { Direction, LineFilter, Page } from "./lines";

/** Lines of the first page, which is to be there soon, and of those that follow. */
const FIRST = 300;
const PAGE = 1_000;
/** Milliseconds between two looks for new lines. */
const PAUSE = 100;

export interface Opened {
  /** Number of the line that was asked for; 0 for the end. */
  at: number;
}

export interface LogReader {
  window: Accessor<LineWindow>;
  /** Told each time the log was opened anew: the view goes there. */
  opened: Accessor<Opened | undefined>;
  error: Accessor<Error | null>;
  /** Whether it is being opened. */
  reading: Accessor<boolean>;
  /** Whether lines that fit are looked for, and rare. */
  searching: Accessor<boolean>;
  open: (at?: number) => void;
  earlier: () => void;
  later: () => void;
  /** The view tells whether it shows the end: else nothing that is read may be let go for what is new. */
  setAtEnd: (isAtEnd: boolean) => void;
}

export function createLogReader(
  run: Accessor<string>,
  filter: Accessor<LineFilter>,
  /** Where to open when another log, or other lines of it, are wanted: the number of a line, 0 for the end. */
  place: () => number,
): LogReader {
  const [window, setWindow] = createSignal<LineWindow>(EMPTY);
  const [opened, setOpened] = createSignal<Opened>();
  const [error, setError] = createSignal<Error | null>(null);
  const [reading, setReading] = createSignal(true);
  const [searching, setSearching] = createSignal(false);
  let asking = new AbortController();
  const busy = { earlier: false, later: false, again: false };
  let isAtEnd = true;

  const page = (where: Direction) => readPage(run(), filter(), where, asking.signal);

  /** Do something with the log as it is wanted now; what was asked for before is forgotten. */
  const attempt = async (work: (signal: AbortSignal) => Promise<void>) => {
    const { signal } = asking;
    try {
      await work(signal);
    } catch (problem) {
      if (signal.aborted) return;
      // The next news, or the next look further, try again.
      Object.assign(busy, { earlier: false, later: false, again: false });
      setSearching(false);
      setError(problem as Error);
    }
  };

  const open = (at = 0) => {
    asking.abort();
    asking = new AbortController();
    Object.assign(busy, { earlier: false, later: false, again: false });
    setReading(true);
    setError(null);
    setSearching(false);
    isAtEnd = !at;
    void attempt(async (signal) => {
      const found = at
        ? aroundOf(...(await Promise.all([page({ before: at, limit: FIRST }), page({ after: at - 1, limit: FIRST })])))
        : newestOf(await page({ limit: FIRST }));
      if (signal.aborted) return;
      setWindow(found);
      setOpened({ at });
      setReading(false);
      news(); // what came while it was being opened
      if (found.lines.length < FIRST) earlier();
    });
  };

  /** Lines that fit may be rare, and each answer looks at a bounded number of lines: go on until some are found. */
  const search = async (next: () => Direction | undefined, take: (found: Page) => void, signal: AbortSignal) => {
    for (let where = next(); where && !signal.aborted; where = next()) {
      const found = await page(where);
      if (signal.aborted) return;
      take(found);
      setError(null);
      const isOver = found.lines.length > 0 || !found.more;
      setSearching(!isOver);
      if (isOver) return;
    }
  };

  const earlier = () => {
    if (busy.earlier || window().before === null) return;
    busy.earlier = true;
    void attempt(async (signal) => {
      await search(
        () => (window().before === null ? undefined : { before: window().before!, limit: PAGE }),
        (found) => setWindow((known) => withEarlier(known, found)),
        signal,
      );
      if (signal.aborted) return;
      busy.earlier = false;
      if (window().lines.length < FIRST) earlier();
    });
  };

  const later = () => {
    if (busy.later) {
      busy.again = true;
      return;
    }
    busy.later = true;
    busy.again = false;
    void attempt(async (signal) => {
      await search(
        () => ({ after: window().after, limit: PAGE }),
        (found) => setWindow((known) => withLater(known, found)),
        signal,
      );
      if (signal.aborted) return;
      busy.later = false;
      const known = window();
      if (busy.again || (isAtEnd && !known.atEnd && isRoom(known))) later();
    });
  };

  /** Whether lines can be added at the end without letting go of any that are being read. */
  const isRoom = (known: LineWindow) => isAtEnd || known.lines.length < MOST;

  const news = throttled(() => {
    const known = window();
    if (reading() || !known.atEnd) return; // it is read when somebody goes there
    if (isRoom(known)) later();
    else setWindow({ ...known, atEnd: false });
  }, PAUSE);
  live.hear("flow-runs", news);
  live.hear("task-runs", news);
  live.hear("reset", () => open(place()));

  createEffect(
    on(
      [run, () => JSON.stringify(filter())],
      ([now], before) => {
        if (before && before[0] !== now) setWindow(EMPTY);
        open(place());
      },
      { defer: false },
    ),
  );
  onCleanup(() => asking.abort());

  return {
    window,
    opened,
    error,
    reading,
    searching,
    open,
    earlier,
    later,
    setAtEnd: (is) => (isAtEnd = is),
  };
}
