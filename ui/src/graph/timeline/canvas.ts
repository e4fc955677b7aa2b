/** Canvases as sharp as the screen. */

import { colour } from "~/lib/theme";

/** A canvas of a size in CSS pixels, to be drawn on in them. */
export function prepared(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = devicePixelRatio || 1;
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  // Setting a size clears a canvas and takes long, also where it stays the same.
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const draw = canvas.getContext("2d")!;
  draw.setTransform(ratio, 0, 0, ratio, 0, 0);
  return draw;
}

/** A stretch that is being marked. */
export function paintBrush(draw: CanvasRenderingContext2D, from: number, to: number, height: number): void {
  draw.globalAlpha = 0.18;
  draw.fillStyle = colour("--accent");
  draw.fillRect(Math.min(from, to), 0, Math.abs(to - from), height);
  draw.globalAlpha = 1;
  for (const x of [from, to]) draw.fillRect(Math.round(x), 0, 1, height);
}
