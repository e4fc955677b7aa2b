/** How large nodes are drawn, as the layout and the drawing both have it. Pure. */

import type { Size } from "./layered";
import type { Direction, Plan } from "./plan";
import type { Shown, ShownNode } from "./shown";

/** Pixels. */
const LEAST_WIDE = 128;
const LEAST_WIDE_MANY = 184;
const MOST_WIDE = 248;
const LOW = 46;
const HIGH = 58;
/** About so wide is a character of a name. */
const CHARACTER = 8;

/** Calls of an open map that are drawn one by one. */
export const MOST_CELLS = 240;
export const CELL = 20;
const CELL_PAD = 12;
const CELLS_HEAD = 56;
const CELLS_FOOT = 26;

/** Whether a node has a second line with a meter: it stands for several calls. */
export function isMany(shown: ShownNode): boolean {
  return shown.node.count > 1 || shown.node.is_flow;
}

export function columnsOf(cells: number): number {
  return Math.max(8, Math.min(24, Math.ceil(Math.sqrt(cells * 2))));
}

export function sizeOf(shown: ShownNode): Size {
  const { node, opens } = shown;
  const letters = node.name.length + (node.count > 1 ? String(node.count).length + 2 : 0);
  const width = Math.round(
    Math.min(
      MOST_WIDE,
      Math.max(isMany(shown) ? LEAST_WIDE_MANY : LEAST_WIDE, letters * CHARACTER + 46 + (opens ? 26 : 0)),
    ),
  );
  if (shown.isOpen && node.is_map) {
    const cells = Math.min(node.count, MOST_CELLS);
    const columns = columnsOf(cells);
    return {
      width: Math.max(width, columns * CELL + 2 * CELL_PAD),
      height: CELLS_HEAD + Math.ceil(cells / columns) * CELL + CELL_PAD + (node.count > MOST_CELLS ? CELLS_FOOT : 0),
    };
  }
  return { width, height: isMany(shown) ? HIGH : LOW };
}

export function planOf(shown: Shown, direction: Direction): Plan {
  return {
    nodes: shown.nodes.map((one) => ({ id: one.node.id, parent: one.parent, ...sizeOf(one) })),
    links: shown.links.map(({ source, target }) => [source, target] as const),
    direction,
  };
}

/** What of a plan the layout depends on: where it is the same, so is the picture. */
export function keyOf(plan: Plan): string {
  return JSON.stringify(plan);
}
