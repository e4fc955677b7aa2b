/** Which part of a graph is drawn, and whether as elements or, where these are too many, painted. */

import { createEffect, createMemo, createSignal } from "solid-js";
import type { Accessor } from "solid-js";
import { seen } from "./camera";
import { nodesIn, routesIn } from "./drawn";
import type { Drawn } from "./drawn";
import type { Box } from "./plan";
import type { CameraControl } from "./use-camera";

/** Nodes in view beyond which they are painted. */
const MOST_ELEMENTS = 320;
/** Pixels around the view in which nodes exist already. */
const AROUND = 200;
/** How many times as wide as what is seen it may become while one zooms in. */
const MUCH = 1.5;

export function createPart(drawn: Accessor<Drawn | undefined>, { camera, view }: CameraControl) {
  // More than is seen, so that it changes seldom while one moves.
  const [part, setPart] = createSignal<Box>({ x: 0, y: 0, width: 0, height: 0 });
  createEffect(() => {
    const now = seen(camera(), view());
    const had = part();
    const isInside =
      now.x >= had.x &&
      now.y >= had.y &&
      now.x + now.width <= had.x + had.width &&
      now.y + now.height <= had.y + had.height;
    if (!isInside || had.width > MUCH * now.width + (2 * AROUND) / camera().k) setPart(seen(camera(), view(), AROUND));
  });
  /** Nodes that lie in it. */
  const nodes = createMemo(() => (drawn() ? nodesIn(drawn()!, part()) : []));
  const isFar = createMemo(() => nodes().length > MOST_ELEMENTS);
  /** Lines that cross it; none where all is painted. */
  const routes = createMemo(() => (drawn() && !isFar() ? routesIn(drawn()!, part()) : []));
  return { part, nodes, isFar, routes };
}
