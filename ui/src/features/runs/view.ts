/** Which runs the page shows, as its URL says it, and in words. */

import type { RunsFilter } from "~/data/run-list";
import { lookOf } from "~/lib/state";
import { exact, secondsOf } from "~/lib/times";

export interface View {
  text: string;
  flow: string;
  state: string[];
  tag: string[];
  /** Each `name=value`. */
  parameter: string[];
  /** How far back from now, as PRESETS has it; "" for a time that is told by `since` and `until`. */
  last: string;
  since: string;
  until: string;
  subflows: boolean;
}

export const ALL: View = {
  text: "",
  flow: "",
  state: [],
  tag: [],
  parameter: [],
  last: "",
  since: "",
  until: "",
  subflows: false,
};

/** Times from now back, in seconds. */
export const PRESETS: readonly [name: string, label: string, seconds: number][] = [
  ["1h", "Last hour", 3600],
  ["24h", "Last 24 hours", 86_400],
  ["7d", "Last 7 days", 7 * 86_400],
  ["30d", "Last 30 days", 30 * 86_400],
];

interface Search {
  one: (name: string) => string;
  all: (name: string) => string[];
}

export function viewOf(search: Search): View {
  const last = search.one("last");
  return {
    text: search.one("text"),
    flow: search.one("flow"),
    state: search.all("state").map((state) => state.toUpperCase()),
    tag: search.all("tag"),
    parameter: search.all("parameter"),
    last: PRESETS.some(([name]) => name === last) ? last : "",
    since: search.one("since"),
    until: search.one("until"),
    subflows: search.one("subflows") === "1",
  };
}

/** The query of a view; each name is in it, so that what is not wanted goes from the URL. */
export function searchOf(view: View): Record<keyof View, string | string[] | undefined> {
  const { subflows, ...told } = view;
  const search = Object.fromEntries(
    Object.entries(told).map(([name, value]) => [name, value.length ? value : undefined]),
  ) as Record<Exclude<keyof View, "subflows">, string | string[] | undefined>;
  return { ...search, subflows: subflows ? "1" : undefined };
}

/** Whether two views show the same runs. */
export function isSame(one: View, other: View): boolean {
  return normal(one) === normal(other);
}

function normal(view: View): string {
  return JSON.stringify(
    Object.keys(ALL).map((name) => {
      const value = view[name as keyof View];
      return Array.isArray(value) ? [...value].sort() : value;
    }),
  );
}

/** A time as the API takes it: RFC 3339 in UTC, without a fraction that is none. */
export function told(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

/** What the server is asked for. A time from now back begins at most a sixtieth of it earlier, so that it stands still. */
export function filterOf(view: View, now: number): RunsFilter {
  const seconds = PRESETS.find(([name]) => name === view.last)?.[2];
  const step = (seconds ?? 0) / 60;
  return {
    text: view.text || undefined,
    flow: view.flow || undefined,
    state: view.state,
    tag: view.tag,
    parameter: view.parameter,
    since: seconds ? told(Math.floor((now - seconds) / step) * step) : view.since || undefined,
    until: seconds ? undefined : view.until || undefined,
    subflows: view.subflows || undefined,
  };
}

/** One thing that a view asks for, and how the view is without it. */
export interface Chip {
  key: string;
  label: string;
  value: string;
  without: Partial<View>;
}

export function chipsOf(view: View): Chip[] {
  const each = (name: "state" | "tag" | "parameter", label: string, word: (value: string) => string): Chip[] =>
    view[name].map((value) => ({
      key: `${name} ${value}`,
      label,
      value: word(value),
      without: { [name]: view[name].filter((one) => one !== value) },
    }));
  const chips = [
    ...each("state", "state", (state) => lookOf(state).label),
    ...each("tag", "tag", String),
    ...each("parameter", "parameter", String),
  ];
  if (view.flow) chips.unshift({ key: "flow", label: "flow", value: view.flow, without: { flow: "" } });
  if (view.text) chips.unshift({ key: "text", label: "text", value: view.text, without: { text: "" } });
  const time = timeTold(view);
  if (time) chips.push({ key: "time", label: "time", value: time, without: { last: "", since: "", until: "" } });
  if (view.subflows)
    chips.push({ key: "subflows", label: "with", value: "subflow runs", without: { subflows: false } });
  return chips;
}

/** The time of a view in words; "" for any time. */
export function timeTold(view: View): string {
  const preset = PRESETS.find(([name]) => name === view.last);
  if (preset) return preset[1].toLowerCase();
  const word = (time: string) =>
    Number.isNaN(secondsOf(time)) ? "a time that is none" : exact(secondsOf(time)).replace(/:00$/, "");
  const { since, until } = view;
  if (since && until) {
    const [from, to] = [word(since), word(until)];
    return `${from} – ${from.slice(0, 10) === to.slice(0, 10) ? to.slice(11) : to}`;
  }
  return since ? `since ${word(since)}` : until ? `before ${word(until)}` : "";
}
