/** How high each line is and where it lies. Heights are estimated, until a line was drawn and measured. */

import type { Line } from "./lines";
import { cutText } from "./cut-text";
import { plainText } from "./plain-text";

/** Pixels of one line of text, as in log-line.module.css. */
export const ROW = 20;
/** Columns that a tab goes to. */
const TAB = 8;

export interface Shape {
  /** Characters that fit in one row; 0 where lines are not wrapped. */
  columns: number;
  /** Numbers of the lines of which all is shown. */
  opened: ReadonlySet<number>;
}

/** Rows of text that a line needs, as far as that can be told without drawing it. */
export function rowsOf(line: Line, shape: Shape): number {
  const told = plainText(cutText(line.text, shape.opened.has(line.number)).text);
  if (!shape.columns && !told.includes("\n")) return 1;
  let rows = 0;
  for (const part of told.split("\n")) {
    const width = part.includes("\t") ? part.length + TAB * (part.split("\t").length - 1) : part.length;
    rows += shape.columns ? Math.max(1, Math.ceil(width / shape.columns)) : 1;
  }
  return rows;
}

export class Heights {
  private estimated = new WeakMap<Line, number>();
  private readonly measured = new Map<number, number>();
  private offsets = new Float64Array(1);
  private count = 0;

  constructor(private shape: Shape) {}

  /** Lines are drawn in another way from now on. */
  reshape(shape: Shape): void {
    this.shape = shape;
    this.estimated = new WeakMap();
    this.measured.clear();
  }

  /** What a line measured; returns whether that is new. */
  measure(line: Line, pixels: number): boolean {
    if (Math.abs(this.heightOf(line) - pixels) < 0.5) return false;
    this.measured.set(line.number, pixels);
    return true;
  }

  /** Lay lines below each other. */
  lay(lines: readonly Line[]): void {
    if (this.offsets.length <= lines.length) this.offsets = new Float64Array(Math.ceil(lines.length * 1.3) + 1);
    this.count = lines.length;
    let top = 0;
    for (let at = 0; at < lines.length; at++) {
      this.offsets[at] = top;
      top += this.heightOf(lines[at]!);
    }
    this.offsets[lines.length] = top;
    if (this.measured.size > 4 * lines.length + 1_000) this.measured.clear();
  }

  get total(): number {
    return this.offsets[this.count]!;
  }

  /** Pixels above the line at an index. */
  top(index: number): number {
    return this.offsets[Math.max(0, Math.min(this.count, index))]!;
  }

  /** Index of the line at so many pixels from the top. */
  at(pixels: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.offsets[middle + 1]! <= pixels) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, Math.min(this.count - 1, low));
  }

  private heightOf(line: Line): number {
    const known = this.measured.get(line.number) ?? this.estimated.get(line);
    if (known !== undefined) return known;
    const pixels = rowsOf(line, this.shape) * ROW;
    this.estimated.set(line, pixels);
    return pixels;
  }
}
