/** A graph as it is drawn: what is shown, and where. Pure. */

import { touches } from "./camera";
import type { Box, Direction, Laid, Route } from "./plan";
import type { Shown } from "./shown";

export interface Drawn {
  shown: Shown;
  laid: Laid;
  direction: Direction;
}

/** Nodes that are at least partly in a part of the picture, groups before what is in them. */
export function nodesIn(drawn: Drawn, part: Box): string[] {
  const found: string[] = [];
  for (const { node } of drawn.shown.nodes) {
    const box = drawn.laid.boxes.get(node.id);
    if (box && touches(box, part)) found.push(node.id);
  }
  return found;
}

export function routesIn(drawn: Drawn, part: Box): Route[] {
  return drawn.laid.routes.filter(({ points }) => {
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let at = 0; at < points.length; at += 2) {
      left = Math.min(left, points[at]!);
      right = Math.max(right, points[at]!);
      top = Math.min(top, points[at + 1]!);
      bottom = Math.max(bottom, points[at + 1]!);
    }
    return left < part.x + part.width && right > part.x && top < part.y + part.height && bottom > part.y;
  });
}

/** The innermost node at a point of the picture. */
export function nodeAt(drawn: Drawn, x: number, y: number): string | undefined {
  const { nodes } = drawn.shown;
  for (let at = nodes.length - 1; at >= 0; at--) {
    const id = nodes[at]!.node.id;
    const box = drawn.laid.boxes.get(id);
    if (box && x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height) return id;
  }
  return undefined;
}

export type Arrow = "ArrowRight" | "ArrowLeft" | "ArrowUp" | "ArrowDown";

/** Where an arrow key leads from a node: along a link, or to what lies beside it in its layer. */
export function neighbour(drawn: Drawn, id: string, arrow: Arrow): string | undefined {
  const here = drawn.laid.boxes.get(id);
  if (!here) return undefined;
  const isAlong = (arrow === "ArrowRight" || arrow === "ArrowLeft") === (drawn.direction === "right");
  const isOnward = arrow === "ArrowRight" || arrow === "ArrowDown";
  const linked = isAlong ? drawn.shown.links.filter((link) => (isOnward ? link.source : link.target) === id) : [];
  const boxes = drawn.laid.boxes;
  if (linked.length > 0)
    return nearest(
      here,
      linked.map((link) => (isOnward ? link.target : link.source)),
      boxes,
    );
  const isSideways = arrow === "ArrowRight" || arrow === "ArrowLeft";
  const beyond = drawn.shown.nodes
    .map(({ node }) => node.id)
    .filter((other) => {
      const box = boxes.get(other);
      if (!box || other === id) return false;
      const [from, to] = isSideways ? [here.x, box.x] : [here.y, box.y];
      if (isOnward ? to <= from : to >= from) return false;
      // Straight ahead alone, else one would jump through the whole picture.
      return isSideways
        ? box.y < here.y + here.height && box.y + box.height > here.y
        : box.x < here.x + here.width && box.x + box.width > here.x;
    });
  return nearest(here, beyond, boxes);
}

function nearest(here: Box, those: readonly string[], boxes: ReadonlyMap<string, Box>): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  for (const id of those) {
    const box = boxes.get(id);
    if (!box) continue;
    const far = Math.hypot(box.x - here.x, box.y + box.height / 2 - here.y - here.height / 2);
    if (far < least) [least, best] = [far, id];
  }
  return best;
}
