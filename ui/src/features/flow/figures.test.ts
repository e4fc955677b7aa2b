import { describe, expect, it } from "vitest";
import type { FlowDurations } from "~/data/flow";
import { barsOf, linesOf, outcomesOf, rangeName, stepTold } from "./figures";

function durations(change: Partial<FlowDurations> = {}): FlowDurations {
  return {
    since: "2026-11-23T10:02:30Z",
    until: "2026-11-23T10:05:10Z",
    step: 60,
    buckets: [
      { start: "2026-11-23T10:02:00Z", count: 3, failures: 1, states: { completed: 2, failed: 1 }, p50: 2, p95: 4 },
      {
        start: "2026-11-23T10:04:00Z",
        count: 2,
        failures: 1,
        states: { crashed: 1, cancelled: 1 },
        p50: null,
        p95: null,
      },
    ],
    p50: 2,
    p95: 4,
    runs: 5,
    more: false,
    ...change,
  };
}

const at = (time: string) => Date.parse(`2026-11-23T${time}Z`) / 1000;

describe("bars", () => {
  it("stand for every step of the time, those without runs too", () => {
    expect(barsOf(durations())).toEqual([
      { start: at("10:02:00"), end: at("10:03:00"), counts: { completed: 2, failed: 1 } },
      { start: at("10:03:00"), end: at("10:04:00"), counts: {} },
      { start: at("10:04:00"), end: at("10:05:00"), counts: { crashed: 1, cancelled: 1 } },
      { start: at("10:05:00"), end: at("10:06:00"), counts: {} },
    ]);
  });

  it("leave out the beginning where there would be too many", () => {
    const bars = barsOf(durations({ since: "2020-01-01T00:00:00Z" }));

    expect(bars[0]!.start).toBe(at("10:02:00"));
    expect(bars).toHaveLength(4);
  });

  it("are one without counts where nothing ran", () => {
    const now = "2026-11-23T10:00:00Z";

    expect(barsOf(durations({ buckets: [], since: now, until: now }))).toEqual([
      { start: at("10:00:00"), end: at("10:01:00"), counts: {} },
    ]);
  });
});

it("draws lines through the middle of each step in which a run completed", () => {
  expect(linesOf(durations())).toEqual({ p50: [[at("10:02:30"), 2]], p95: [[at("10:02:30"), 4]] });
});

it("counts what was cancelled as ended, and neither as good nor as failed", () => {
  expect(outcomesOf(durations())).toEqual({ ended: 5, good: 2, failed: 2, of: 4 });
});

it("names a step by its largest unit", () => {
  expect([1, 60, 300, 3_600, 10_800, 86_400, 604_800].map(stepTold)).toEqual([
    "per second",
    "per minute",
    "per 5 minutes",
    "per hour",
    "per 3 hours",
    "per day",
    "per 7 days",
  ]);
});

it("takes a range that the URL does not name for all runs", () => {
  expect(["7d", "", "1y"].map(rangeName)).toEqual(["7d", "all", "all"]);
});
