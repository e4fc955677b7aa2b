/** The layout of a graph with groups: each group is laid out by itself, and is one large node around it. Pure. */

import { packed } from "./packed";
import type { Size } from "./layered";

export type Direction = "right" | "down";

export interface PlannedNode extends Size {
  id: string;
  /** The group that it is in; "" for none. A node that others name here is a group, and as large as they need. */
  parent: string;
}

/** What is to be laid out. Nodes are in an order of the graph, groups before what is in them. */
export interface Plan {
  nodes: readonly PlannedNode[];
  links: readonly (readonly [source: string, target: string])[];
  direction: Direction;
}

export interface Box extends Size {
  x: number;
  y: number;
}

/** A line, and the links that it stands for: several where they end at one group. */
export interface Route {
  source: string;
  target: string;
  points: number[];
  links: number[];
}

export interface Laid extends Size {
  boxes: Map<string, Box>;
  routes: Route[];
}

/** Pixels around what is in a group, and above it, where its name stands. */
export const GROUP_PAD = 14;
export const GROUP_HEAD = 48;

export function laidOut(plan: Plan): Laid {
  const byId = new Map(plan.nodes.map((node) => [node.id, node]));
  const inside = new Map<string, PlannedNode[]>([["", []]]);
  for (const node of plan.nodes) {
    const parent = byId.has(node.parent) ? node.parent : "";
    const list = inside.get(parent);
    if (list) list.push(node);
    else inside.set(parent, [node]);
  }
  const linksIn = liftedLinks(plan, byId);
  const boxes = new Map<string, Box>();
  const routes: Route[] = [];
  const turned = plan.direction === "down";

  const lay = (group: string): { size: Size; move: (x: number, y: number) => void } => {
    const members = inside.get(group)!;
    const inner = members.map((node) => (inside.has(node.id) ? lay(node.id) : undefined));
    const sizes = members.map((node, at) => inner[at]?.size ?? node);
    const number = new Map(members.map((node, at) => [node.id, at]));
    const pairs = [...(linksIn.get(group)?.values() ?? [])];
    // What leads back, as it can between groups, is laid out as if it led on; so there are no circles.
    const ends = pairs.map(({ source, target }) => [number.get(source)!, number.get(target)!] as const);
    const forward = ends.map(([a, b]) => (a < b ? ([a, b] as const) : ([b, a] as const)));
    const laid = packed(turned ? sizes.map(turn) : sizes, forward, turned ? 1 / 1.7 : undefined);
    const pad = group ? GROUP_PAD : 0;
    const head = group ? GROUP_HEAD : 0;
    const size = turned ? turn(laid) : laid;
    return {
      size: {
        width: Math.max(size.width + 2 * pad, group ? byId.get(group)!.width : 0),
        height: size.height + head + pad,
      },
      move: (x, y) => {
        members.forEach((node, at) => {
          const place = laid.places[at]!;
          const box = {
            ...sizes[at]!,
            x: x + pad + (turned ? place.y : place.x),
            y: y + head + (turned ? place.x : place.y),
          };
          boxes.set(node.id, { x: box.x, y: box.y, width: box.width, height: box.height });
          inner[at]?.move(box.x, box.y);
        });
        pairs.forEach((pair, at) => {
          const points: number[] = [];
          const route = laid.routes[at]!;
          for (let n = 0; n < route.length; n += 2) {
            const [along, across] = [route[n]!, route[n + 1]!];
            points.push(x + pad + (turned ? across : along), y + head + (turned ? along : across));
          }
          const isBack = ends[at]![0] > ends[at]![1];
          routes.push({ ...pair, points: isBack ? backwards(points) : points });
        });
      },
    };
  };
  const whole = lay("");
  whole.move(0, 0);
  return { ...whole.size, boxes, routes };
}

function turn(size: Size): Size {
  return { width: size.height, height: size.width };
}

function backwards(points: readonly number[]): number[] {
  const turned: number[] = [];
  for (let n = points.length - 2; n >= 0; n -= 2) turned.push(points[n]!, points[n + 1]!);
  return turned;
}

/** Each link between the two that stand side by side in the group around both of its ends. */
function liftedLinks(plan: Plan, byId: Map<string, PlannedNode>): Map<string, Map<string, Omit<Route, "points">>> {
  const found = new Map<string, Map<string, Omit<Route, "points">>>();
  const around = (id: string) => {
    const all = [id];
    for (let one = byId.get(id)?.parent; one && byId.has(one); one = byId.get(one)!.parent) all.unshift(one);
    return all;
  };
  plan.links.forEach(([from, to], link) => {
    const [outFrom, outTo] = [around(from), around(to)];
    let depth = 0;
    while (depth < outFrom.length && outFrom[depth] === outTo[depth]) depth++;
    const [source, target] = [outFrom[depth], outTo[depth]];
    if (!source || !target || !byId.has(source) || !byId.has(target)) return; // one is around the other
    const group = depth ? outFrom[depth - 1]! : "";
    const pairs = found.get(group) ?? new Map<string, Omit<Route, "points">>();
    found.set(group, pairs);
    const key = `${source} ${target}`;
    const known = pairs.get(key);
    if (known) known.links.push(link);
    else pairs.set(key, { source, target, links: [link] });
  });
  return found;
}
