/** Text that is marked over lines, and what is copied of it. */

import { indexOf } from "./line-window";
import type { Line } from "./lines";

function lineAt(node: Node | null, within: HTMLElement): number | undefined {
  const element = node instanceof Element ? node : node?.parentElement;
  const row = element?.closest<HTMLElement>("[data-number]");
  return row && within.contains(row) ? Number(row.dataset.number) : undefined;
}

/** Numbers of the first and the last line in which text is marked. */
export function markedLines(within: HTMLElement): readonly [number, number] | undefined {
  const selection = getSelection();
  if (!selection || selection.isCollapsed) return undefined;
  const one = lineAt(selection.anchorNode, within);
  const other = lineAt(selection.focusNode, within);
  if (one === undefined && other === undefined) return undefined;
  return [Math.min(one ?? other!, other ?? one!), Math.max(one ?? other!, other ?? one!)];
}

/** Copy whole lines, with their times, where more than one is marked; a part of one line as it is. */
export function copyLines(
  event: ClipboardEvent,
  within: HTMLElement,
  lines: readonly Line[],
  textOf: (line: Line) => string,
): void {
  const marked = markedLines(within);
  if (!marked || marked[0] === marked[1] || !event.clipboardData) return;
  const whole = lines.slice(indexOf(lines, marked[0]), indexOf(lines, marked[1]) + 1);
  event.clipboardData.setData("text/plain", whole.map(textOf).join(""));
  event.preventDefault();
}
