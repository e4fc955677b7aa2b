import { expect, test } from "vitest";
import type { TaskRow } from "~/data/tasks";
import { allTakers, beside, newerOf, reuseTold, takersOf, toRunAgain, waited } from "./task-model";

const row = (id: string, upstream: string[] = [], told: Partial<TaskRow> = {}): TaskRow => ({
  id,
  name: id,
  run: "r",
  state: "COMPLETED",
  stateName: "Completed",
  created: 10,
  started: 12,
  ended: 20,
  task: "t",
  mapIndex: -1,
  attempt: 1,
  upstream,
  due: 0,
  reason: "",
  message: "",
  change: 1,
  ...told,
});
const ROWS = [row("a"), row("b", ["a"]), row("c", ["b", "x"]), row("d"), row("e", ["c", "d"])];

test("takers are those that took the outcome itself", () => {
  expect(takersOf(ROWS, "a").map((one) => one.id)).toEqual(["b"]);
});

test("all takers are found over every step", () => {
  expect([...allTakers(ROWS, "b")]).toEqual(["c", "e"]);
  expect([...allTakers(ROWS, "e")]).toEqual([]);
});

test("what failed by itself is offered first, then what did not run for it, then the newest", () => {
  const rows = [
    row("ok-1"),
    row("bad", [], { state: "FAILED" }),
    row("late", [], { state: "FAILED", started: 0 }),
    row("ok-2"),
    row("runs", [], { state: "RUNNING" }),
  ];

  expect(toRunAgain(rows, "").map((one) => one.id)).toEqual(["bad", "late", "ok-2", "ok-1"]);
  expect(toRunAgain(rows, " OK").map((one) => one.id)).toEqual(["ok-2", "ok-1"]);
});

test("of task runs that took each other's place only the last is offered", () => {
  const rows = [
    row("a1", [], { name: "a" }),
    row("b", [], { name: "b" }),
    row("a2", [], { name: "a", reason: "asked" }),
  ];

  expect(toRunAgain(rows, "").map((one) => one.id)).toEqual(["a2", "b"]);
});

test("one goes to the task beside, and no further than the ends", () => {
  expect([beside(ROWS, "b", 1), beside(ROWS, "b", -1)]).toEqual(["c", "a"]);
  expect([beside(ROWS, "e", 1), beside(ROWS, "a", -1)]).toEqual(["e", "a"]);
  expect([beside(ROWS, "gone", 1), beside([], "gone", 1)]).toEqual(["a", "gone"]);
});

test("what was taken from the cache, and why something ran again, is told", () => {
  expect(reuseTold(row("a"))).toBe("");
  expect(reuseTold(row("a", [], { stateName: "Cached", message: "Computed by b." }))).toBe("Computed by b.");
  expect(reuseTold(row("a", [], { reason: "its code changed" }))).toBe("It ran again: its code changed.");
});

test("waiting ends with the start, and goes on until then", () => {
  expect(waited(row("a"), 99)).toBe(2);
  expect(waited(row("a", [], { started: 0, state: "PENDING" }), 99)).toBe(89);
  expect(waited(row("a", [], { started: 0, state: "CANCELLED" }), 99)).toBe(0);
});

test("what ran again after it had completed is another task run of the same name", () => {
  const rows = [
    row("a1", [], { name: "a" }),
    row("b1", [], { name: "b" }),
    row("a2", [], { name: "a", reason: "asked" }),
  ];

  expect(newerOf(rows, rows[0]!)?.id).toBe("a2");
  expect(newerOf(rows, rows[2]!)).toBeUndefined();
  expect(newerOf(rows, rows[1]!)).toBeUndefined();
});
