/** A line chart as uPlot draws it. Loaded when the first chart is shown. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { colour } from "~/lib/theme";
import { TIME_STEPS, across, logTicks, nearest, numberTicks, timeRoom, timeTicks } from "./line-chart-data";
import type { Aligned, XKind } from "./line-chart-data";
import type { LineLook } from "./line-chart-looks";

export interface PlotOptions {
  looks: readonly LineLook[];
  /** Of the data, what comes after the lines: faint ones, each of the line at this place. */
  behind: readonly number[];
  xKind: XKind;
  /** Whether places on the x axis are whole numbers, such as steps. */
  isWhole: boolean;
  unit: string;
  log: boolean;
  width: number;
  height: number;
  /** Charts with the same name move their cursors together. */
  together: string;
  /** The place under the cursor, and the place in its points of each series; `undefined` where there is no cursor. */
  onCursor: (x: number | undefined, at: readonly number[]) => void;
  onZoom: (range: [number, number]) => void;
  onReset: () => void;
}

const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
/** Pixels to the side of the cursor within which a value is told as that under it. */
const NEAR = 36;
const FAINT: uPlot.Series = { alpha: 0.28, width: 1, dash: [], points: { show: false } };
/** Values of a line up to which each has a dot. */
const DOTS = 30;

export class Plot {
  private readonly drawn: uPlot;
  private range: readonly [number, number] | undefined;

  constructor(
    host: HTMLElement,
    data: Aligned,
    private readonly options: PlotOptions,
  ) {
    this.drawn = new uPlot(this.asked(), data as uPlot.AlignedData, host);
    // What a screen reader is told stands beside the picture.
    this.drawn.root.setAttribute("aria-hidden", "true");
  }

  /** Draw other values. What is zoomed to stays. */
  set(data: Aligned): void {
    this.drawn.batch(() => {
      this.drawn.setData(data as uPlot.AlignedData, !this.range);
      this.bound();
    });
  }

  size(width: number, height: number): void {
    if (width !== this.drawn.width || height !== this.drawn.height) this.drawn.setSize({ width, height });
  }

  show(place: number, isShown: boolean): void {
    const faint = this.options.behind.indexOf(place);
    for (const at of faint < 0 ? [place + 1] : [place + 1, this.options.looks.length + faint + 1])
      if (this.drawn.series[at]?.show !== isShown) this.drawn.setSeries(at, { show: isShown });
  }

  /** Show this part of the x axis; all of it when `undefined`. */
  zoom(range: readonly [number, number] | undefined): void {
    this.range = range;
    this.bound();
  }

  /** What is seen of the x axis. */
  seen(): [number, number] {
    const { min, max } = this.drawn.scales.x!;
    return [min ?? 0, max ?? 0];
  }

  /** Put the cursor at a place; take it away when `undefined`. */
  point(x: number | undefined): void {
    const left = x === undefined ? -10 : this.drawn.valToPos(x, "x");
    this.drawn.setCursor({ left, top: x === undefined ? -10 : this.drawn.over.clientHeight / 2 });
  }

  /** Draw the same in the colours of the theme as they are now. */
  recolour(): void {
    this.drawn.redraw(false);
  }

  end(): void {
    this.drawn.destroy();
  }

  /** Show what is zoomed to, or else all that there is. */
  private bound(): void {
    const bounds = this.range ?? across(this.drawn.data[0]);
    if (bounds) this.drawn.setScale("x", { min: bounds[0], max: bounds[1] });
  }

  private asked(): uPlot.Options {
    const { looks, behind, xKind, unit, log, width, height, together } = this.options;
    const grid = { stroke: () => colour("--line"), width: 1 };
    const axis: uPlot.Axis = { stroke: () => colour("--soft"), font: FONT, grid, ticks: { ...grid, size: 4 }, gap: 4 };
    return {
      width,
      height,
      legend: { show: false },
      padding: [8, 12, 0, 0],
      cursor: {
        x: true,
        y: false,
        points: { size: 7 },
        drag: { x: true, y: false, setScale: false },
        dataIdx: (plot, place, at, x) => this.near(plot, place, at, x),
        ...(together ? { sync: { key: together, setSeries: false, scales: ["x", null] } } : {}),
        bind: { dblclick: () => () => (this.options.onReset(), null) },
      },
      scales: {
        x: { time: false },
        y: log
          ? { distr: 3, log: 10, range: (_, low, high) => roomyLog(low, high) }
          : { range: (_, low, high) => roomy(low, high) },
      },
      series: [
        {},
        ...looks.map((look) => this.line(look)),
        ...behind.map((place): uPlot.Series => ({ ...this.line(looks[place]!), ...FAINT })),
      ],
      axes: [
        {
          ...axis,
          size: 26,
          ...this.ticksApart(),
          values: (_, ticks, _axis, _space, step) =>
            xKind === "time" ? timeTicks(ticks, step) : numberTicks(ticks, xKind === "elapsed" ? "s" : ""),
        },
        {
          ...axis,
          space: 30,
          size: (plot, told) => widthOf(plot, told),
          values: (_, ticks) => (log ? logTicks(ticks as (number | null)[], unit) : numberTicks(ticks, unit)),
        },
      ],
      hooks: {
        setCursor: [(plot) => this.tellCursor(plot)],
        setSelect: [(plot) => this.tellZoom(plot)],
      },
    };
  }

  private ticksApart(): Pick<uPlot.Axis, "space" | "incrs"> {
    const { xKind, isWhole } = this.options;
    if (xKind === "time")
      return {
        space: (plot, _axis, low, high, width) => timeRoom(high - low, width, (text) => textWidth(plot, text)),
        incrs: [...TIME_STEPS],
      };
    return { space: xKind === "number" ? 56 : 74, ...(isWhole ? { incrs: WHOLE } : {}) };
  }

  private line(look: LineLook): uPlot.Series {
    return {
      stroke: () => colour(look.colour),
      width: 1.6,
      dash: [...look.dash],
      points: {
        size: 4.5,
        fill: () => colour(look.colour),
        show: (plot, place) => {
          const ys = valuesOf(plot, place);
          return ys.length <= DOTS || ys.filter((y) => typeof y === "number").length <= DOTS;
        },
      },
    };
  }

  /** The place of the value of a line that is told at the cursor. Lines need not have values at the same places. */
  private near(plot: uPlot, place: number, at: number, x: number): number | null {
    if (place === 0) return at;
    const found = nearest(valuesOf(plot, place), at);
    if (found < 0) return null;
    const far = Math.abs(plot.valToPos(plot.data[0][found]!, "x") - plot.valToPos(x, "x"));
    return far <= NEAR ? found : null;
  }

  private tellCursor(plot: uPlot): void {
    const { idx, idxs, left } = plot.cursor;
    const isThere = typeof idx === "number" && (left ?? -1) >= 0;
    this.options.onCursor(
      isThere ? plot.data[0][idx] : undefined,
      isThere ? this.options.looks.map((_, n) => idxs?.[n + 1] ?? -1) : [],
    );
  }

  private tellZoom(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 3) return;
    const range: [number, number] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.options.onZoom(range);
  }
}

function valuesOf(plot: uPlot, place: number): (number | null | undefined)[] {
  return (plot.data[place] ?? []) as (number | null | undefined)[];
}

/** Distances between ticks of whole numbers. */
const WHOLE = Array.from({ length: 16 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power)).flat();

/** Bounds of the y axis: all values, with a little room, and at 0 where they come near it. */
function roomy(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  if (low === high) return low === 0 ? [-1, 1] : [low - Math.abs(low) * 0.1, high + Math.abs(high) * 0.1];
  const room = (high - low) * 0.06;
  const isNearZero = low >= 0 && low <= (high - low) * 0.6;
  return [isNearZero ? 0 : low - room, high <= 0 && high >= low * 0.6 * -1 ? 0 : high + room];
}

function roomyLog(low: number | null, high: number | null): [number, number] {
  return low === null || high === null || low <= 0 ? [0.1, 10] : [low / 1.3, high * 1.3];
}

function widthOf(plot: uPlot, told: readonly string[] | null): number {
  return told?.length ? Math.ceil(Math.max(...told.map((one) => textWidth(plot, one)))) + 14 : 40;
}

function textWidth(plot: uPlot, text: string): number {
  plot.ctx.save();
  plot.ctx.font = FONT;
  const { width } = plot.ctx.measureText(text);
  plot.ctx.restore();
  return width;
}
