/** Going from one line that fits to the next: among those that are loaded, and then by asking the server. */

import { indexOf } from "./line-window";
import { LEVELS, readPage } from "./lines";
import type { Line, LineFilter } from "./lines";

export interface Wanted {
  /** In any case of letters. */
  text?: string;
  /** This level and above. */
  level?: string;
}

export function fits(line: Line, wanted: Wanted): boolean {
  return (
    (!wanted.text || line.text.toLowerCase().includes(wanted.text.toLowerCase())) &&
    (!wanted.level || LEVELS.indexOf(line.level as never) >= LEVELS.indexOf(wanted.level as never))
  );
}

/** The next line after, or before, a number that fits. */
export function nextOf(lines: readonly Line[], from: number, step: 1 | -1, wanted: Wanted): Line | undefined {
  let at = step > 0 ? indexOf(lines, from + 1) : indexOf(lines, from) - 1;
  for (; at >= 0 && at < lines.length; at += step) {
    if (fits(lines[at]!, wanted)) return lines[at];
  }
  return undefined;
}

/** The same beyond what is loaded. Each answer looks at a bounded number of lines, so it may take several. */
export async function askForNext(
  run: string,
  filter: LineFilter,
  from: number,
  step: 1 | -1,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Line | undefined> {
  const text = wanted.text ?? filter.text;
  const levels = [wanted.level, filter.level].map((level) => LEVELS.indexOf(level as never));
  const level = LEVELS[Math.max(...levels)];
  let at = from;
  for (;;) {
    const where = step > 0 ? { after: at, limit: 1 } : { before: at, limit: 1 };
    const page = await readPage(run, { ...filter, text, level }, where, signal);
    if (page.lines[0]) return page.lines[0];
    const next = step > 0 ? page.after : page.before;
    if (!page.more || next === null || next === at) return undefined;
    at = next;
  }
}
