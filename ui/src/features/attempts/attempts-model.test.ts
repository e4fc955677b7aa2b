import { expect, test } from "vitest";
import { attemptRows } from "./attempts-model";

const attempt = (n: number, state: string) => ({
  attempt: n,
  state,
  state_name: state,
  message: "",
  started: null,
  ended: null,
});
const late = (n: number, run = "r") => ({
  run,
  attempt: n,
  state: "FAILED",
  state_name: "Failed",
  message: "",
  at: null,
});

test("the newest attempt comes first and is marked", () => {
  const rows = attemptRows([attempt(1, "CRASHED"), attempt(2, "RUNNING")], [], "r");

  expect(rows.map((row) => [row.attempt, row.state, row.isNewest])).toEqual([
    [2, "RUNNING", true],
    [1, "CRASHED", false],
  ]);
});

test("what came too late stands at the attempt that it is about, the run's own first", () => {
  const rows = attemptRows([attempt(1, "CRASHED"), attempt(2, "COMPLETED")], [late(1, "below"), late(1)], "r");

  expect(rows.map((row) => row.late.map((one) => one.run))).toEqual([[], ["r", "below"]]);
});

test("an attempt of which nothing else is known is told too", () => {
  expect(
    attemptRows([attempt(1, "COMPLETED")], [late(7)], "r").map((row) => [row.attempt, row.state, row.isNewest]),
  ).toEqual([
    [7, "", false],
    [1, "COMPLETED", true],
  ]);
});
