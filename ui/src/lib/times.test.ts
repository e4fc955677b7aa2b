import { createRoot } from "solid-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { clock, createNow, duration, relative, secondsOf, utc } from "./times";

const NOW = Date.parse("2026-11-23T18:00:00Z") / 1000;

test("a time of the server is seconds; none is 0", () => {
  expect(secondsOf("2026-11-23T18:00:00.250Z")).toBe(NOW + 0.25);
  expect([secondsOf(null), secondsOf(undefined), secondsOf("")]).toEqual([0, 0, 0]);
});

test("a time of the server is as exact as it was told", () => {
  expect(secondsOf("2026-11-23T18:00:00.250378Z") - NOW).toBeCloseTo(0.250378, 6);
});

test.each([
  [-1, "now"],
  [-5, "5s ago"],
  [-59, "59s ago"],
  [-61, "1m ago"],
  [-3599, "59m ago"],
  [-7200, "2h ago"],
  [3 * 3600 + 5, "in 3h"],
  [-86_400 * 3, "3d ago"],
  [-86_400 * 70, "2mo ago"],
  [-86_400 * 800, "2y ago"],
])("%i seconds from now are %s", (distance, told) => {
  expect(relative(NOW + distance, NOW)).toBe(told);
});

test.each([
  [0, "0 ms"],
  [0.0004, "<1 ms"],
  [0.0008, "1 ms"],
  [0.25, "250 ms"],
  [0.9996, "1.0 s"],
  [1.24, "1.2 s"],
  [9.96, "10 s"],
  [59.4, "59 s"],
  [59.6, "1m 00s"],
  [184, "3m 04s"],
  [3599.6, "1h 00m"],
  [7_500, "2h 05m"],
  [86_399, "23h 59m"],
  [86_400 * 3 + 3600 * 4, "3d 4h"],
  [-1, ""],
  [NaN, ""],
  [Infinity, ""],
])("%d seconds are told as %j", (seconds, told) => {
  expect(duration(seconds)).toBe(told);
});

test("exact times tell milliseconds and UTC", () => {
  expect(utc(NOW + 0.005)).toBe("2026-11-23T18:00:00.005Z");
  expect(clock(NOW + 0.5)).toMatch(/:00:00\.500$/);
});

describe("now", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: NOW * 1000 });
    vi.stubGlobal("document", { hidden: false });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test("goes on by one timer for all who look, which ends with the last of them", () => {
    const [first, endFirst] = createRoot((end) => [createNow(1000), end] as const);
    const [second, endSecond] = createRoot((end) => [createNow(1000), end] as const);

    vi.advanceTimersByTime(3_000);

    expect(second).toBe(first);
    expect(first()).toBe(NOW + 3);
    endFirst();
    expect(vi.getTimerCount()).toBe(1);
    endSecond();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("stands still while nobody sees the page", () => {
    vi.stubGlobal("document", { hidden: true });
    createRoot((end) => {
      const now = createNow(1000);
      vi.advanceTimersByTime(5_000);

      expect(now()).toBe(NOW);
      end();
    });
  });
});
