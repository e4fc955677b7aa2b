/** A list of runs as a value: newest first, which is by id, since ids are made in the order of time. */

import type { Shapes } from "~/lib/http";
import { secondsOf } from "~/lib/times";

export type Run = Shapes["RunShape"];

/** Which runs: as `GET /api/flow-runs` takes it. */
export interface RunsFilter {
  flow?: string;
  state?: string[];
  tag?: string[];
  /** Each `name=value`, the value as JSON or as plain text. */
  parameter?: string[];
  since?: string;
  until?: string;
  text?: string;
  subflows?: boolean;
}

/**
 * Whether a run belongs to a list, told without the server. A value that is shown cut cannot be compared here; then a
 * run belongs where it was already.
 */
export function fits(run: Run, filter: RunsFilter, isThere = false): boolean {
  const created = secondsOf(run.created);
  return (
    (filter.subflows || !run.parent) &&
    (!filter.flow || run.flow === filter.flow) &&
    (!filter.state?.length || filter.state.includes(run.state)) &&
    (filter.tag ?? []).every((tag) => run.tags.includes(tag)) &&
    (filter.parameter ?? []).every((told) => wasGiven(run, told) ?? isThere) &&
    (!filter.since || created >= secondsOf(filter.since)) &&
    (!filter.until || created < secondsOf(filter.until)) &&
    (!filter.text || [run.name, run.flow, run.id].some((name) => has(name, filter.text!)))
  );
}

function has(name: string, part: string): boolean {
  return name.toLowerCase().includes(part.toLowerCase());
}

/** Whether a run was given a parameter; `undefined` where that cannot be told from what is shown of it. */
function wasGiven(run: Run, told: string): boolean | undefined {
  const at = told.indexOf("=");
  const given = (run.parameters ?? {}) as Record<string, unknown>;
  const name = told.slice(0, at);
  if (!Object.hasOwn(given, name)) return false;
  const value = given[name];
  if (typeof value === "string" && value.endsWith("…")) return undefined;
  const wanted = told.slice(at + 1);
  if (wanted === value) return true;
  try {
    return JSON.stringify(JSON.parse(wanted)) === JSON.stringify(value);
  } catch {
    return false;
  }
}

/** The newer one of two answers about the same thing. */
export function newer<T extends { change: number }>(one: T, other: T | undefined): T {
  return other && other.change > one.change ? other : one;
}

/** Where an id stands in a list, or would stand. */
function placeOf(runs: readonly Run[], id: string): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (runs[middle]!.id > id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * A list with runs taken in: each in its place, where no newer one is there and it belongs. The list itself where
 * nothing of it changed.
 */
export function taken(
  runs: readonly Run[],
  items: Iterable<Run>,
  belongs: (run: Run, isThere: boolean) => boolean,
): readonly Run[] {
  let now: Run[] | undefined;
  for (const item of items) {
    const list: readonly Run[] = now ?? runs;
    const at = placeOf(list, item.id);
    const known = list[at]?.id === item.id ? list[at] : undefined;
    if (known ? known.change >= item.change : !belongs(item, false)) continue;
    now ??= [...runs];
    if (!known) now.splice(at, 0, item);
    else if (belongs(item, true)) now[at] = item;
    else now.splice(at, 1);
  }
  return now ?? runs;
}

export function without(runs: readonly Run[], ids: Iterable<string>): readonly Run[] {
  const gone = new Set(ids);
  return runs.some((run) => gone.has(run.id)) ? runs.filter((run) => !gone.has(run.id)) : runs;
}

/** When an id was made, in Unix seconds: its first 48 bits are milliseconds. 0 for what is no such id. */
export function timeOfId(id: string): number {
  const bits = /^([0-9a-f]{8})-([0-9a-f]{4})-7/.exec(id);
  return bits ? parseInt(bits[1]! + bits[2]!, 16) / 1000 : 0;
}
