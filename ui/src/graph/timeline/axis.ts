/**
 * The axis of time. Where nothing ran for long, as between the attempts of a run that was resumed after hours, the axis
 * is broken: that stretch is cut down to a little, so that each attempt is seen on a scale of its own.
 *
 * "Shown" seconds are those of the axis: 0 where it begins, and as long as real ones but within a cut.
 */

export interface Interval {
  from: number;
  to: number;
}

/** A stretch that is cut: real times, and how long it is shown. */
export interface Cut extends Interval {
  shown: number;
  length: number;
}

/** A gap is cut when it is longer than this many seconds, and than this part of the time in which something ran. */
const SHORTEST_CUT = 5;
const LEAST_PART = 1;
/** How much of that time a cut takes on the axis. */
const PART_OF_A_CUT = 0.05;

/** Intervals that touch or overlap as one, in the order of time. The given ones are sorted. */
export function merged(intervals: Interval[]): Interval[] {
  const found: Interval[] = [];
  for (const { from, to } of intervals.sort((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else found.push({ from, to: Math.max(from, to) });
  }
  return found;
}

export class Axis {
  /** Where it begins and ends, in real seconds. */
  readonly from: number;
  readonly to: number;
  readonly cuts: readonly Cut[];
  /** Shown seconds from its beginning to its end. */
  readonly length: number;

  constructor(from: number, to: number, gaps: readonly Interval[] = [], shownPerGap = 0) {
    this.from = from;
    this.to = Math.max(from, to);
    let taken = 0;
    this.cuts = gaps.map((gap) => {
      const cut = { ...gap, shown: gap.from - from - taken, length: shownPerGap };
      taken += gap.to - gap.from - shownPerGap;
      return cut;
    });
    this.length = this.to - from - taken;
  }

  /** Shown seconds of a real time. Before and after the axis time goes on as it is. */
  at(time: number): number {
    const cut = this.cutBefore((one) => one.from <= time);
    if (!cut) return time - this.from;
    if (time >= cut.to) return cut.shown + cut.length + (time - cut.to);
    return cut.shown + (cut.length * (time - cut.from)) / (cut.to - cut.from);
  }

  /** The real time of shown seconds. */
  time(shown: number): number {
    const cut = this.cutBefore((one) => one.shown <= shown);
    if (!cut) return this.from + shown;
    const into = shown - cut.shown;
    if (into >= cut.length) return cut.to + into - cut.length;
    return cut.from + ((cut.to - cut.from) * into) / cut.length;
  }

  private cutBefore(isBefore: (cut: Cut) => boolean): Cut | undefined {
    // Few: a run is not resumed a thousand times.
    return this.cuts.findLast(isBefore);
  }
}

/**
 * The axis for what ran when.
 *
 * @param busy When something ran, in any order.
 * @param within What the axis holds in any case: when the run was made, and when it ended, or now.
 */
export function axisFor(busy: Interval[], within: Interval, isTrue: boolean): Axis {
  const ran = merged(busy);
  const from = Math.min(within.from, ran[0]?.from ?? within.from);
  const to = Math.max(within.to, ran.at(-1)?.to ?? within.to);
  if (isTrue) return new Axis(from, to);
  const total = ran.reduce((sum, one) => sum + one.to - one.from, 0);
  const edges = [from, ...ran.flatMap((one) => [one.from, one.to]), to];
  const gaps: Interval[] = [];
  for (let n = 0; n < edges.length; n += 2) gaps.push({ from: edges[n]!, to: edges[n + 1]! });
  const shortest = Math.max(SHORTEST_CUT, LEAST_PART * total);
  const cut = total > 0 ? gaps.filter((gap) => gap.to - gap.from > shortest) : [];
  return new Axis(from, to, cut, PART_OF_A_CUT * inSteps(total));
}

/** Rounded down to steps, so that what grows slowly does not move everything all the time. */
function inSteps(value: number): number {
  return value > 0 ? 1.25 ** Math.floor(Math.log(value) / Math.log(1.25)) : 0;
}
