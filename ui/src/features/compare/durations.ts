/** How long the tasks of each run took, by the name of the task, as pure functions. */

export interface Bar {
  task: string;
  started: number;
  ended: number;
}

export interface Took {
  count: number;
  /** Of those that have ended: half of them took no longer. */
  p50: number;
  total: number;
}

export function tookByTask(rows: Iterable<Bar>): Map<string, Took> {
  const lengths = new Map<string, number[]>();
  const counts = new Map<string, number>();
  for (const { task, started, ended } of rows) {
    counts.set(task, (counts.get(task) ?? 0) + 1);
    const known = lengths.get(task) ?? [];
    lengths.set(task, known);
    if (started && ended) known.push(Math.max(0, ended - started));
  }
  return new Map(
    [...lengths].map(([task, all]) => {
      all.sort((a, b) => a - b);
      return [
        task,
        { count: counts.get(task)!, p50: middle(all), total: all.reduce((sum, one) => sum + one, 0) },
      ] as const;
    }),
  );
}

function middle(sorted: readonly number[]): number {
  const half = Math.floor(sorted.length / 2);
  if (!sorted.length) return 0;
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

export interface TaskLine {
  task: string;
  /** Of each run; `undefined` where it has no such task, `null` where the run is gone or not read yet. */
  took: readonly (Took | undefined | null)[];
  /** Seconds by which totals differ. */
  apart: number;
  differs: boolean;
}

/** Seconds within which two totals are told as the same, and the part of the greater one. */
const SAME = 0.005;
const SAME_PART = 0.05;

/** Whether a task ran another number of times, or took noticeably longer or shorter. */
export function isOther(one: Took | undefined, other: Took | undefined): boolean {
  if (!one || !other || one.count !== other.count) return one?.count !== other?.count;
  const apart = Math.abs(one.total - other.total);
  return apart > SAME && apart > Math.max(one.total, other.total) * SAME_PART;
}

/** One line for each task, the one whose totals differ most first. */
export function taskLines(runs: readonly (Map<string, Took> | null)[]): TaskLine[] {
  const names = [...new Set(runs.flatMap((run) => [...(run?.keys() ?? [])]))];
  const lines = names.map((task): TaskLine => {
    const took = runs.map((run) => run && run.get(task));
    const there = took.filter((one) => one !== null);
    const totals = there.map((one) => one?.total ?? 0);
    const apart = Math.max(0, ...totals) - Math.min(...totals, Infinity);
    return { task, took, apart, differs: there.some((one) => there.some((other) => isOther(one, other))) };
  });
  return lines.sort((a, b) => b.apart - a.apart);
}
