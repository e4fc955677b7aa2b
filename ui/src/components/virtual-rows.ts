/** Which rows of a long table are seen, and where it must stand after rows came or went. Pixels throughout. */

/** Rows `first` to before `last`, those beside the ones that are seen included. */
export function rowsSeen(
  top: number,
  view: number,
  height: number,
  rows: number,
  beside: number,
): [first: number, last: number] {
  const first = Math.floor(Math.max(0, top) / height) - beside;
  const last = Math.ceil((Math.max(0, top) + view) / height) + beside;
  return [Math.max(0, Math.min(first, rows)), Math.max(0, Math.min(last, rows))];
}

/** How far a row was looked for from where it stood. More never come or go at once. */
const FURTHEST = 5_000;

/** Where a key stands now, looked for from where it stood; -1 when it is gone. */
export function indexNear(keyAt: (index: number) => string, rows: number, key: string, near: number): number {
  const start = Math.max(0, Math.min(near, rows - 1));
  for (let off = 0; off <= FURTHEST; off += 1) {
    const below = start + off < rows;
    const above = off > 0 && start - off >= 0;
    if (!below && !above && start - off < 0) return -1;
    if (below && keyAt(start + off) === key) return start + off;
    if (above && keyAt(start - off) === key) return start - off;
  }
  return -1;
}

/**
 * By how many rows a table has to go on so that what one reads stays where it is, after `before` became `after`.
 * Where the row at the top is gone, the one below it counts.
 */
export function rowsMoved<Row>(
  before: readonly Row[],
  after: readonly Row[],
  rowKey: (row: Row) => string,
  at: number,
): number {
  for (let old = at; old < Math.min(at + 20, before.length); old += 1) {
    const now = indexNear((index) => rowKey(after[index]!), after.length, rowKey(before[old]!), old);
    if (now >= 0) return now - old;
  }
  return 0;
}

/** The least width in which columns have their place, of their widths as a grid has them: "90px", "minmax(80px, 2fr)". */
export function leastWidth(widths: readonly string[], gap: number, padding: number): number {
  const each = widths.map((width) => Number(/(\d+(?:\.\d+)?)px/.exec(width)?.[1] ?? 0));
  return each.reduce((sum, one) => sum + one, 0) + gap * Math.max(0, widths.length - 1) + 2 * padding;
}
