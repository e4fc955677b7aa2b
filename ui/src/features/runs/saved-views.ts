/** Views with a name: those that everybody has, and those that this browser keeps. */

import { kept } from "~/lib/kept";
import { ALL } from "./view";
import type { View } from "./view";

export interface NamedView {
  name: string;
  view: View;
}

export const GIVEN: readonly NamedView[] = [
  { name: "All", view: ALL },
  { name: "Running", view: { ...ALL, state: ["RUNNING", "CANCELLING"] } },
  { name: "Waiting", view: { ...ALL, state: ["PAUSED", "PENDING", "SCHEDULED"] } },
  { name: "Failed in 24 h", view: { ...ALL, state: ["FAILED", "CRASHED"], last: "24h" } },
];

/** The most that are kept. */
export const MOST = 30;
export const LONGEST_NAME = 60;

function isText(told: unknown): told is string {
  return typeof told === "string" && told.length <= 2_000;
}

function isView(told: unknown): told is View {
  if (typeof told !== "object" || told === null) return false;
  return Object.entries(ALL).every(([name, none]) => {
    const value: unknown = (told as Record<string, unknown>)[name];
    if (Array.isArray(none)) return Array.isArray(value) && value.every(isText);
    return typeof none === "boolean" ? typeof value === "boolean" : isText(value);
  });
}

/** Whether what was kept are named views. */
export function areNamedViews(told: unknown): told is NamedView[] {
  return (
    Array.isArray(told) &&
    told.length <= MOST &&
    told.every((one: Partial<NamedView> | null) => one !== null && isText(one.name) && isView(one.view))
  );
}

export const [ownViews, setOwnViews] = kept<NamedView[]>("views", [], areNamedViews);

/** Views with one more; it takes the place of one with its name. */
export function saved(views: readonly NamedView[], name: string, view: View): NamedView[] {
  const at = views.findIndex((one) => one.name === name);
  const own = { name, view };
  return at >= 0 ? views.map((one, n) => (n === at ? own : one)) : [...views, own].slice(-MOST);
}

export function renamed(views: readonly NamedView[], from: string, to: string): NamedView[] {
  return views
    .filter((one) => one.name === from || one.name !== to)
    .map((one) => (one.name === from ? { ...one, name: to } : one));
}

/** Why a name cannot be taken; "" when it can. */
export function problemWith(name: string): string {
  if (!name.trim()) return "A view needs a name.";
  if (GIVEN.some((one) => one.name.toLowerCase() === name.trim().toLowerCase())) return "That name is taken.";
  return "";
}
