/** Paints a graph on a canvas: all of it at once, for views in which nodes are too many to be elements. */

import { colourOf, fillOf, softColourOf } from "~/graph/patterns";
import { colour } from "~/lib/theme";
import { touches } from "./camera";
import { curve } from "./curves";
import { routesIn } from "./drawn";
import type { Drawn } from "./drawn";
import type { Size } from "./layered";
import type { Box, Direction, Route } from "./plan";

/** Makes a canvas as large as its view, in pixels of the screen, and clean. */
export function cleaned(canvas: HTMLCanvasElement, view: Size): CanvasRenderingContext2D | undefined {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const draw = canvas.getContext("2d");
  draw?.setTransform(ratio, 0, 0, ratio, 0, 0);
  draw?.clearRect(0, 0, view.width, view.height);
  return draw ?? undefined;
}

const paths = new WeakMap<Route, Path2D>();

/** A line as a path, made once. */
function pathOf(route: Route, direction: Direction): Path2D {
  let path = paths.get(route);
  if (!path) {
    path = new Path2D(curve(route.points, direction));
    paths.set(route, path);
  }
  return path;
}

/** A scale below which nobody sees that lines are curved. */
const COARSE = 0.09;

export interface Painting {
  drawn: Drawn;
  /** The part of the picture that is painted, and its scale. */
  part: Box;
  k: number;
  stateOf: (id: string) => string;
  /** What is not to be pale; undefined for all. */
  lit?: ReadonlySet<string>;
  selected?: string;
}

export function paint(canvas: HTMLCanvasElement, painting: Painting): void {
  const { part, k } = painting;
  const draw = cleaned(canvas, { width: part.width * k, height: part.height * k });
  if (!draw) return;
  paintLines(draw, painting);
  paintNodes(draw, painting);
  draw.globalAlpha = 1;
}

function paintLines(draw: CanvasRenderingContext2D, { drawn, part, k, lit }: Painting): void {
  const routes = routesIn(drawn, part);
  const isLit = (route: Route) => Boolean(lit?.has(route.source) && lit.has(route.target));
  draw.save();
  draw.scale(k, k);
  draw.translate(-part.x, -part.y);
  draw.lineWidth = Math.max(0.6, Math.min(1.3, 2 * k)) / k;
  draw.strokeStyle = colour("--line-strong");
  draw.globalAlpha = lit ? 0.15 : 0.5;
  if (k < COARSE) {
    draw.beginPath();
    for (const { points } of routes) {
      draw.moveTo(points[0]!, points[1]!);
      for (let at = 2; at < points.length; at += 2) draw.lineTo(points[at]!, points[at + 1]!);
    }
    draw.stroke();
  } else {
    for (const route of routes) if (!isLit(route)) draw.stroke(pathOf(route, drawn.direction));
  }
  draw.globalAlpha = 1;
  draw.strokeStyle = colour("--accent");
  if (lit) for (const route of routes) if (isLit(route)) draw.stroke(pathOf(route, drawn.direction));
  draw.restore();
}

/** Boxes are painted in pixels of the view, so that patterns keep their size. */
function paintNodes(draw: CanvasRenderingContext2D, { drawn, part, k, stateOf, lit, selected }: Painting): void {
  const [sunken, raised, line, accent] = ["--sunken", "--raised", "--line-strong", "--accent"].map(colour);
  for (const { node, isOpen } of drawn.shown.nodes) {
    const box = drawn.laid.boxes.get(node.id);
    if (!box || !touches(box, part)) continue;
    const [left, top] = [(box.x - part.x) * k, (box.y - part.y) * k];
    const [width, height] = [Math.max(2, box.width * k), Math.max(2, box.height * k)];
    draw.globalAlpha = lit && !lit.has(node.id) ? 0.2 : 1;
    const state = stateOf(node.id);
    draw.fillStyle = isOpen ? sunken! : state ? softColourOf(state) : raised!;
    draw.fillRect(left, top, width, height);
    if (state && !isOpen) {
      draw.fillStyle = fillOf(state);
      draw.fillRect(left, top, Math.max(2, 0.22 * width), height);
    }
    if (width <= 5) continue;
    draw.lineWidth = node.id === selected ? 2 : 1;
    draw.strokeStyle = node.id === selected ? accent! : state ? colourOf(state) : line!;
    draw.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
  }
}
