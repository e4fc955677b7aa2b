import { expect, test } from "vitest";
import type { WaitingRun } from "./home-data";
import { asks, isLate, isToCome } from "./waiting-kinds";

const AT = 1_795_000_000;
const one = (state: string, late_from: number | null, started: string | null = null) => ({
  run: { state, started } as WaitingRun["run"],
  late_from: late_from === null ? null : new Date(late_from * 1000).toISOString(),
});

test("a run is late from the moment that the server named", () => {
  expect(isLate(one("PENDING", AT), AT - 1)).toBe(false);
  expect(isLate(one("PENDING", AT), AT)).toBe(true);
  expect(isLate(one("PAUSED", null), AT)).toBe(false);
});

test("a run that is to begin comes next until it is late", () => {
  expect(isToCome(one("SCHEDULED", AT), AT - 1)).toBe(true);
  expect(isToCome(one("SCHEDULED", AT), AT + 1)).toBe(false);
});

test("a run that is to be entered again has begun, and waits", () => {
  expect(isToCome(one("SCHEDULED", null, "2026-11-23T12:00:00Z"), AT)).toBe(false);
});

test("a paused run asks somebody", () => {
  expect([one("PAUSED", null), one("PENDING", null)].map(asks)).toEqual([true, false]);
});
