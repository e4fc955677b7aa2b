/** The lines that are loaded: a part of the log without holes, which grows at both ends and lets go at the far one. */

import type { Line, Page } from "./lines";

export interface LineWindow {
  /** Oldest first, by growing number. */
  lines: readonly Line[];
  /** Give it as `before` for what comes earlier; `null` when there is nothing. */
  before: number | null;
  /** Give it as `after` for what comes later. */
  after: number;
  /** Whether it reached the end of the log when it was last asked. */
  atEnd: boolean;
  /** Numbers of the first and the last line that there are at all; 0 when there is none. */
  first: number;
  last: number;
}

/** Lines that are loaded at once, so that a log of any length needs no more memory than that. */
export const MOST = 20_000;

export const EMPTY: LineWindow = { lines: [], before: null, after: 0, atEnd: true, first: 0, last: 0 };

/** A window on the newest lines. */
export function newestOf(page: Page): LineWindow {
  return {
    lines: page.lines,
    before: page.before,
    after: page.after,
    atEnd: true,
    first: page.first,
    last: page.last,
  };
}

/** A window around a line: the page before it, and the page that begins with it. */
export function aroundOf(earlier: Page, later: Page): LineWindow {
  return {
    lines: [...earlier.lines, ...later.lines],
    before: earlier.before,
    after: later.after,
    atEnd: !later.more,
    first: Math.min(earlier.first || later.first, later.first || earlier.first),
    last: Math.max(earlier.last, later.last),
  };
}

/** With a page of what comes earlier. */
export function withEarlier(window: LineWindow, page: Page, most = MOST): LineWindow {
  const begin = window.lines[0]?.number ?? Infinity;
  const lines = [...page.lines.filter((line) => line.number < begin), ...window.lines];
  const known = { ...window, lines, before: page.before, first: page.first, last: Math.max(window.last, page.last) };
  if (lines.length <= most) return known;
  const kept = lines.slice(0, most);
  return { ...known, lines: kept, after: kept.at(-1)!.number, atEnd: false };
}

/** With a page of what comes later. A line that is there already does not come twice. */
export function withLater(window: LineWindow, page: Page, most = MOST): LineWindow {
  const end = window.lines.at(-1)?.number ?? -1;
  const fresh = page.lines[0] && page.lines[0].number > end ? page.lines : page.lines.filter((l) => l.number > end);
  const known = {
    ...window,
    lines: fresh.length ? [...window.lines, ...fresh] : window.lines,
    after: Math.max(window.after, page.after),
    atEnd: !page.more,
    first: page.first || window.first,
    last: Math.max(window.last, page.last),
  };
  if (known.lines.length <= most) return known;
  const kept = known.lines.slice(-most);
  return { ...known, lines: kept, before: kept[0]!.number };
}

/** Index of the first line whose number is not smaller; the number of lines when there is none. */
export function indexOf(lines: readonly Line[], number: number): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle]!.number < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether a place in the log lies within what is loaded. */
export function covers(window: LineWindow, number: number): boolean {
  const [first, last] = [window.lines[0], window.lines.at(-1)];
  if (!first || !last) return window.before === null && window.atEnd;
  return (number >= first.number || window.before === null) && (number <= last.number || (window.atEnd && number > 0));
}
