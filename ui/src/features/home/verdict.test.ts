import { expect, test } from "vitest";
import type { Figures } from "./figures";
import { verdictOf } from "./verdict";

const figures = (given: Partial<Figures>): Figures => ({
  runs: (given.completed ?? 0) + (given.failed ?? 0),
  completed: 0,
  failed: 0,
  success: undefined,
  mean: undefined,
  ...given,
});
const NONE = { running: 0, late: 0, moreLate: false, asking: 0 };
const verdict = (given: Partial<Figures>, open: Partial<typeof NONE> = {}) => {
  const { tone, text, more } = verdictOf(figures(given), { ...NONE, ...open }, "today");
  return [tone, text, ...more];
};

test("where runs completed and none failed, all is well", () => {
  expect(verdict({ completed: 1_200 })).toEqual(["good", "All is well", "1,200 runs completed today, none failed"]);
});

test("what failed is said before all else", () => {
  expect(verdict({ failed: 1, completed: 3 }, { late: 2, asking: 1 })).toEqual([
    "bad",
    "1 run failed today",
    "2 runs are late",
    "1 run waits for an answer",
    "3 runs completed",
  ]);
});

test("what is late or asks somebody is said where nothing failed", () => {
  expect(verdict({ completed: 1 }, { asking: 2 })).toEqual([
    "waiting",
    "2 runs wait for an answer",
    "1 run completed today, none failed",
  ]);
  expect(verdict({}, { late: 1 })).toEqual(["waiting", "1 run is late"]);
  expect(verdict({}, { late: 20, moreLate: true })).toEqual(["waiting", "20+ runs are late"]);
});

test("where nothing ended nothing is praised", () => {
  expect(verdict({})).toEqual(["quiet", "Nothing ran today"]);
  expect(verdict({ runs: 1 }, { running: 1 })).toEqual(["good", "1 run is running"]);
  expect(verdict({ runs: 2 })).toEqual(["quiet", "Nothing has ended today"]);
});
