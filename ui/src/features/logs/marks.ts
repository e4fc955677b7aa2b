/** Where in the log something was warned of or went wrong: the newest of these lines, for the scroll bar and counts. */

import { createEffect, createSignal, on, onCleanup } from "solid-js";
import type { Accessor } from "solid-js";
import { live } from "~/lib/live";
import { throttled } from "~/lib/throttled";
import { readPage } from "./lines";
import type { LineFilter, Page } from "./lines";

export interface Mark {
  number: number;
  level: string;
}

export interface Marks {
  /** By growing number. */
  lines: Mark[];
  /** Whether there are earlier ones that are not in it. */
  more: boolean;
  after: number;
}

export const MOST_MARKS = 5_000;
const PAGE = 1_000;
/** Milliseconds between two looks for new ones. */
const PAUSE = 1_500;

export const NO_MARKS: Marks = { lines: [], more: false, after: 0 };

/** With a page of earlier ones. */
export function withEarlierMarks(known: Marks, page: Page): Marks {
  const earlier = page.lines.map(({ number, level }) => ({ number, level }));
  return { ...known, lines: [...earlier, ...known.lines], more: page.more };
}

export function withMarks(known: Marks, page: Page): Marks {
  const last = known.lines.at(-1)?.number ?? -1;
  const fresh = page.lines.filter((line) => line.number > last).map(({ number, level }) => ({ number, level }));
  const lines = [...known.lines, ...fresh];
  return {
    lines: lines.slice(-MOST_MARKS),
    more: known.more || lines.length > MOST_MARKS,
    after: Math.max(known.after, page.after),
  };
}

/** How many lines there are of a level and above, as far as it is known: "12", "1,000+". */
export function countOf(marks: Marks, levels: readonly string[]): { count: number; more: boolean } {
  return { count: marks.lines.filter((mark) => levels.includes(mark.level)).length, more: marks.more };
}

export function createMarks(run: Accessor<string>, filter: Accessor<LineFilter>): Accessor<Marks> {
  const [marks, setMarks] = createSignal<Marks>(NO_MARKS);
  let asking = new AbortController();
  /** New ones are asked for once it is known what there was. */
  let isRead = false;
  const read = async (isFirst: boolean) => {
    const { signal } = asking;
    const wanted = { task: filter().task, since: filter().since, until: filter().until, level: "WARNING" };
    const page = (where: { after?: number; before?: number }) =>
      readPage(run(), wanted, { ...where, limit: PAGE }, signal);
    try {
      const found = await page(isFirst ? {} : { after: marks().after });
      if (signal.aborted) return;
      isRead = true;
      setMarks(isFirst ? { ...withMarks(NO_MARKS, found), more: found.more } : withMarks(marks(), found));
      let before = isFirst ? found.before : null;
      while (before !== null && marks().lines.length < MOST_MARKS) {
        const earlier = await page({ before });
        if (signal.aborted) return;
        setMarks((known) => withEarlierMarks(known, earlier));
        before = earlier.before;
      }
    } catch {
      // They are there for convenience: what reads the lines says what is wrong.
    }
  };
  const begin = () => {
    asking.abort();
    asking = new AbortController();
    setMarks(NO_MARKS);
    isRead = false;
    void read(true);
  };
  createEffect(on([run, () => JSON.stringify([filter().task, filter().since, filter().until])], begin));
  live.hear("reset", begin);
  live.hear(
    "flow-runs",
    throttled(() => isRead && void read(false), PAUSE),
  );
  onCleanup(() => asking.abort());
  return marks;
}
