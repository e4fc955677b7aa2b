/** Lines through the points of a route: they leave and arrive along the direction of the graph. Pure. */

import type { Direction } from "./plan";

/** As the `d` of an SVG path, which a Path2D takes too. */
export function curve(points: readonly number[], direction: Direction): string {
  let path = `M${round(points[0]!)} ${round(points[1]!)}`;
  for (let at = 2; at < points.length; at += 2) {
    const [x0, y0, x1, y1] = [points[at - 2]!, points[at - 1]!, points[at]!, points[at + 1]!];
    const isStraight = direction === "right" ? Math.abs(y0 - y1) < 0.5 : Math.abs(x0 - x1) < 0.5;
    if (isStraight) path += `L${round(x1)} ${round(y1)}`;
    else if (direction === "right") {
      const middle = round((x0 + x1) / 2);
      path += `C${middle} ${round(y0)} ${middle} ${round(y1)} ${round(x1)} ${round(y1)}`;
    } else {
      const middle = round((y0 + y1) / 2);
      path += `C${round(x0)} ${middle} ${round(x1)} ${middle} ${round(x1)} ${round(y1)}`;
    }
  }
  return path;
}

/** The head of an arrow at the last point; lines that lead back arrive from the other side. */
export function head(points: readonly number[], direction: Direction): string {
  const [fromX, fromY, x, y] = points.slice(-4) as [number, number, number, number];
  const isBack = direction === "right" ? x < fromX : y < fromY;
  const long = isBack ? 6 : -6;
  const at = `M${round(x)} ${round(y)}`;
  return direction === "right" ? `${at}l${long}-3.5v7z` : `${at}l-3.5 ${long}h7z`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
