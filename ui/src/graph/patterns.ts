/**
 * How a canvas fills an area of each state: the colours and patterns of `lib/state.ts`, as the theme has them now. Each
 * is made once. Read them in an effect, so that they are read anew when the theme changes.
 */

import { lookOf } from "~/lib/state";
import type { Pattern } from "~/lib/state";
import { colour } from "~/lib/theme";

export type Fill = string | CanvasPattern;

/** Side of the square that a pattern repeats, in CSS pixels. */
const TILE = 6;

const made = new Map<string, Fill>();

/** The plain colour of a state, for lines, and for areas too small for a pattern. */
export function colourOf(state: string): string {
  return colour(lookOf(state).colour);
}

/** The colour that lies behind text of a state. */
export function softColourOf(state: string): string {
  return colour(`${lookOf(state).colour}-soft`);
}

/** What an area of a state is filled with. It begins anew at the origin of the canvas, however that is moved. */
export function fillOf(state: string): Fill {
  const { pattern, colour: property } = lookOf(state);
  const strong = colour(property);
  if (pattern === "plain") return strong;
  const soft = colour(`${property}-soft`);
  const ratio = globalThis.devicePixelRatio || 1;
  const key = `${pattern} ${strong} ${soft} ${ratio}`;
  let fill = made.get(key);
  if (fill === undefined) {
    fill = patternOf(pattern, strong, soft, ratio) ?? strong;
    made.set(key, fill);
  }
  return fill;
}

/** Whether an area of a state has a line around it, in its plain colour: so that one with a light filling has an edge. */
export function isOutlined(state: string): boolean {
  return OUTLINED.has(lookOf(state).pattern);
}

const OUTLINED: ReadonlySet<Pattern> = new Set(["dotted", "level", "upright", "hollow"]);

/** How a tile of each pattern is drawn, in CSS pixels. The strong colour lies on the soft one, or around it. */
const STROKES: Record<Pattern, ((draw: CanvasRenderingContext2D, strong: string, soft: string) => void) | undefined> = {
  plain: undefined,
  hollow: (draw, _, soft) => flat(draw, soft),
  rising: (draw, strong, soft) => {
    flat(draw, strong);
    lines(draw, soft, 1.3, [0, TILE, TILE, 0], [-1, 1, 1, -1], [TILE - 1, TILE + 1, TILE + 1, TILE - 1]);
  },
  crossed: (draw, strong, soft) => {
    flat(draw, strong);
    lines(draw, soft, 0.9, [0, TILE, TILE, 0], [0, 0, TILE, TILE]);
  },
  dotted: (draw, strong, soft) => {
    flat(draw, soft);
    draw.fillStyle = strong;
    for (const [x, y] of [
      [1.5, 1.5],
      [4.5, 4.5],
    ] as const) {
      draw.beginPath();
      draw.arc(x, y, 1.15, 0, 2 * Math.PI);
      draw.fill();
    }
  },
  level: (draw, strong, soft) => {
    flat(draw, soft);
    lines(draw, strong, 1, [0, 1.5, TILE, 1.5], [0, 4.5, TILE, 4.5]);
  },
  upright: (draw, strong, soft) => {
    flat(draw, soft);
    lines(draw, strong, 1.5, [1.5, 0, 1.5, TILE], [4.5, 0, 4.5, TILE]);
  },
};

function flat(draw: CanvasRenderingContext2D, fill: string): void {
  draw.fillStyle = fill;
  draw.fillRect(0, 0, TILE, TILE);
}

type Line = readonly [fromX: number, fromY: number, toX: number, toY: number];

function lines(draw: CanvasRenderingContext2D, stroke: string, width: number, ...all: Line[]): void {
  draw.strokeStyle = stroke;
  draw.lineWidth = width;
  draw.beginPath();
  for (const [fromX, fromY, toX, toY] of all) {
    draw.moveTo(fromX, fromY);
    draw.lineTo(toX, toY);
  }
  draw.stroke();
}

function patternOf(pattern: Pattern, strong: string, soft: string, ratio: number): CanvasPattern | null {
  // A tile of whole pixels: a broken one would have seams.
  const side = Math.max(1, Math.round(TILE * ratio));
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const draw = canvas.getContext("2d");
  if (!draw) return null;
  draw.scale(side / TILE, side / TILE);
  STROKES[pattern]?.(draw, strong, soft);
  const fill = draw.createPattern(canvas, "repeat");
  fill?.setTransform(new DOMMatrix().scale(TILE / side, TILE / side));
  return fill;
}
