/** Which task runs are shown, in which order, and in which groups. Pure: of rows and a view, other rows. */

import { took } from "~/data/tasks";
import type { TaskRow } from "~/data/tasks";
import { STATES, wentWrong } from "~/lib/state";
import type { State } from "~/lib/state";

export const ONLY = ["failed", "reused", "retried", "slow"] as const;
export type Only = (typeof ONLY)[number];
export const KEYS = [
  "state",
  "name",
  "task",
  "subflow",
  "attempt",
  "started",
  "waited",
  "took",
  "why",
  "message",
] as const;
export type Key = (typeof KEYS)[number];

export interface TasksView {
  /** In a name or a message, in any case of letters. */
  text: string;
  states: readonly string[];
  /** Name of a task: only its runs. */
  name: string;
  only: Only | "";
  /** "" is the order in which they were called. */
  sort: Key | "";
  descending: boolean;
  grouped: boolean;
  /** Names of tasks whose groups are the other way than they are by themselves: open, or folded. */
  turned: ReadonlySet<string>;
}

/** What is known beside the rows. */
export interface Facts {
  /** Unix seconds. */
  now: number;
  /** When the newest attempt of the run began, if it is not the first; else 0. */
  resumed: number;
  /** Name of a flow run below the run. */
  subflowOf: (row: TaskRow) => string;
}

/** The runs of one task. */
export interface Group {
  name: string;
  /** Those that are shown; all of them, also while it is folded. */
  rows: readonly TaskRow[];
  counts: Record<string, number>;
  /** Attempts beside the first of each. */
  retries: number;
  /** When the first of them began; 0 for not yet. */
  started: number;
  /** Seconds that half of them took at the most, and that the longest took. */
  middle: number;
  longest: number;
  open: boolean;
}

export type Shown = TaskRow | Group;

export interface Arranged {
  shown: readonly Shown[];
  /** The task runs in it, those of folded groups included. */
  rows: readonly TaskRow[];
  /** How many there were with each state, and of each other kind, with all other filters as they are. */
  states: Record<string, number>;
  kinds: Record<Only, number>;
  names: ReadonlyMap<string, number>;
  /** Seconds that the longest one that is shown took. */
  longest: number;
}

/** Groups of more rows than this are folded until somebody opens them. */
export const FOLDED_FROM = 200;
/** A run is slow that took so many times as long as is usual for its task, and so many seconds longer. */
const SLOW = 3;
const SLOWER = 0.1;
/** Runs of a task of which it is known what is usual. */
const USUAL_OF = 5;

export function isGroup(shown: Shown): shown is Group {
  return "rows" in shown;
}

// -- what is so of one task run --

export function isCached(row: TaskRow): boolean {
  return row.stateName === "Cached";
}

/** Whether it stands as an earlier attempt of the run left it. */
export function isKept(row: TaskRow, facts: Facts): boolean {
  return facts.resumed > 0 && row.ended > 0 && row.ended < facts.resumed;
}

/** Why it ran, or did not; "" where there is nothing to say yet. */
export function whyOf(row: TaskRow, facts: Facts): string {
  if (isCached(row)) return "From the cache";
  if (isKept(row, facts)) return "From an earlier attempt";
  if (row.reason) return `Ran again: ${row.reason}`;
  if (row.stateName === "Skipped") return "Skipped";
  if (!row.started) return row.ended ? "Did not run" : "";
  return "Ran";
}

/** Seconds from its call until it began; -1 where that is not known, since only the last attempt's begin is. */
export function waitedOf(row: TaskRow, now: number): number {
  if (row.attempt > 1) return -1;
  const until = row.started || row.ended || now;
  return row.created ? Math.max(0, until - row.created) : -1;
}

// -- all of them --

export function arrange(rows: readonly TaskRow[], view: TasksView, facts: Facts): Arranged {
  const usual = usualOf(rows);
  const isSlow = (row: TaskRow) => {
    const middle = usual.get(row.task) ?? Infinity;
    return took(row, facts.now) > Math.max(SLOW * middle, middle + SLOWER);
  };
  const is: Record<Only, (row: TaskRow) => boolean> = {
    failed: (row) => wentWrong(row.state),
    reused: (row) => isCached(row) || isKept(row, facts),
    retried: (row) => row.attempt > 1,
    slow: isSlow,
  };
  const wanted = view.text.trim().toLowerCase();
  const states: Record<string, number> = {};
  const kinds: Record<Only, number> = { failed: 0, reused: 0, retried: 0, slow: 0 };
  const names = new Map<string, number>();
  const found: TaskRow[] = [];
  let longest = 0;
  for (const row of rows) {
    if (wanted && !row.name.toLowerCase().includes(wanted) && !row.message.toLowerCase().includes(wanted)) continue;
    const hasState = !view.states.length || view.states.includes(row.state);
    const hasName = !view.name || view.name === row.task;
    const isKind = !view.only || is[view.only](row);
    if (hasName && isKind) states[row.state] = (states[row.state] ?? 0) + 1;
    if (hasState && isKind) names.set(row.task, (names.get(row.task) ?? 0) + 1);
    if (!hasState || !hasName) continue;
    for (const kind of ONLY) if (is[kind](row)) kinds[kind] += 1;
    if (!isKind) continue;
    found.push(row);
    longest = Math.max(longest, took(row, facts.now));
  }
  const sorted = sortRows(found, view, facts);
  const shown = view.grouped ? grouped(sorted, view, facts) : sorted;
  return { shown, rows: sorted, states, kinds, names, longest };
}

/** Seconds that half of the finished runs of each task took at the most, where there are enough to speak of. */
export function usualOf(rows: readonly TaskRow[]): Map<string, number> {
  const times = new Map<string, number[]>();
  for (const row of rows) {
    if (!row.started || !row.ended) continue;
    const known = times.get(row.task);
    if (known) known.push(row.ended - row.started);
    else times.set(row.task, [row.ended - row.started]);
  }
  const usual = new Map<string, number>();
  for (const [task, all] of times) if (all.length >= USUAL_OF) usual.set(task, middleOf(all));
  return usual;
}

function middleOf(times: readonly number[]): number {
  const sorted = Float64Array.from(times).sort();
  return sorted.length ? sorted[Math.floor((sorted.length - 1) / 2)]! : 0;
}

// -- order --

/** By what rows are compared: numbers, or text whose numbers count as such. Nothing known comes last, either way. */
function valueOf(key: Key, facts: Facts): (row: TaskRow) => number | string {
  switch (key) {
    case "state":
      return (row) => STATES.indexOf(row.state as State);
    case "attempt":
      return (row) => row.attempt;
    case "started":
      return (row) => row.started || NaN;
    case "waited":
      return (row) => {
        const waited = waitedOf(row, facts.now);
        return waited < 0 ? NaN : waited;
      };
    case "took":
      return (row) => (row.started ? took(row, facts.now) : NaN);
    case "name":
      return (row) => row.name;
    case "task":
      return (row) => row.task;
    case "subflow":
      return facts.subflowOf;
    case "why":
      return (row) => whyOf(row, facts);
    case "message":
      return (row) => row.message;
  }
}

function sortRows(rows: TaskRow[], view: TasksView, facts: Facts): TaskRow[] {
  if (!view.sort) return view.descending ? rows.reverse() : rows;
  const value = valueOf(view.sort, facts);
  const keyed = rows.map((row, at) => ({ row, at, value: keyOf(value(row)) }));
  keyed.sort((a, b) => compareKeys(a.value, b.value, view.descending) || a.at - b.at);
  return keyed.map(({ row }) => row);
}

/** What is compared, taken apart once for each row: a number, or a text and the number at its end. */
type SortKey = number | { text: string; before: string; ending: number };

const ENDING = /\d{1,15}$/;

function keyOf(value: number | string): SortKey {
  if (typeof value === "number") return value;
  if (value === "") return NaN;
  const ending = ENDING.exec(value);
  return {
    text: value,
    before: ending ? value.slice(0, ending.index) : value,
    ending: ending ? Number(ending[0]) : -1,
  };
}

export function compare(one: number | string, other: number | string, descending: boolean): number {
  return compareKeys(keyOf(one), keyOf(other), descending);
}

function compareKeys(one: SortKey, other: SortKey, descending: boolean): number {
  const [isNone, isOtherNone] = [one !== one, other !== other];
  if (isNone || isOtherNone) return Number(isNone) - Number(isOtherNone);
  let order: number;
  if (typeof one === "number" || typeof other === "number") order = Number(one) - Number(other);
  // The collator is exact and slow; names that differ in a number alone need it not.
  else if (one.before === other.before) order = one.ending - other.ending;
  else order = collator.compare(one.text, other.text);
  return descending ? -order : order;
}

const collator = new Intl.Collator("en", { numeric: true });

// -- groups --

function grouped(rows: readonly TaskRow[], view: TasksView, facts: Facts): Shown[] {
  const byName = new Map<string, TaskRow[]>();
  for (const row of rows) {
    const known = byName.get(row.task);
    if (known) known.push(row);
    else byName.set(row.task, [row]);
  }
  const groups = [...byName].map(([name, of]) => groupOf(name, of, view, facts));
  const sorted = sortGroups(groups, view);
  return sorted.flatMap((group) => (group.open ? [group, ...group.rows] : [group]));
}

function groupOf(name: string, rows: TaskRow[], view: TasksView, facts: Facts): Group {
  const counts: Record<string, number> = {};
  const times: number[] = [];
  let [retries, started, longest] = [0, 0, 0];
  for (const row of rows) {
    counts[row.state] = (counts[row.state] ?? 0) + 1;
    retries += row.attempt - 1;
    if (!row.started) continue;
    if (!started || row.started < started) started = row.started;
    const time = took(row, facts.now);
    times.push(time);
    longest = Math.max(longest, time);
  }
  const open = rows.length <= FOLDED_FROM !== view.turned.has(name);
  return { name, rows, counts, retries, started, middle: middleOf(times), longest, open };
}

/** Groups come as their rows do, where that says something about a group; else in the order of their first rows. */
function sortGroups(groups: Group[], view: TasksView): Group[] {
  const value: Partial<Record<Key, (group: Group) => number | string>> = {
    name: (group) => group.name,
    task: (group) => group.name,
    attempt: (group) => group.retries,
    started: (group) => group.started || NaN,
    took: (group) => group.longest,
  };
  const of = view.sort && value[view.sort];
  return of ? groups.sort((a, b) => compare(of(a), of(b), view.descending)) : groups;
}
