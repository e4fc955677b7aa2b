import { describe, expect, test } from "vitest";
import { taskLines, tookByTask } from "./durations";
import { NOTHING, differ, flattened, inOrder, row, kept, rowsByPath, runsOf } from "./values";

describe("values by their paths", () => {
  test("are told one by one, in objects and lists", () => {
    expect([...flattened({ a: { b: [1, { c: "x" }] }, "odd name": null, e: {}, l: [] })]).toEqual([
      ["a.b[0]", "1"],
      ["a.b[1].c", '"x"'],
      ['"odd name"', "null"],
      ["e", "{}"],
      ["l", "[]"],
    ]);
  });
  test("that are too many or too deep are told as JSON", () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`k${n}`, n]));
    expect(flattened({ many }).size).toBe(1);
    expect([...flattened({ deep: [[[[[[[[[[1]]]]]]]]]] }).values()]).toEqual(["[[[1]]]"]);
  });
  test("differ where one run has another, or none; a run that is gone says nothing", () => {
    const [same, other, less] = rowsByPath([{ a: 1, b: 1, c: 1 }, { a: 1, b: 2 }, null]);
    expect([same!.differs, other!.differs, less!.differs]).toEqual([false, true, true]);
    expect(less!.values).toEqual(["1", NOTHING, null]);
  });
  test("of one type and another are not the same", () => {
    expect(rowsByPath([{ a: 1 }, { a: "1" }])[0]!.differs).toBe(true);
    expect(rowsByPath([{ a: [1] }, { a: 1 }]).map((one) => one.label)).toEqual(["a[0]", "a"]);
  });
});

test("nothing and an empty text are the same in what is told about code", () => {
  expect(row("commit", ["", undefined, null]).differs).toBe(false);
  expect(differ([NOTHING, "x"])).toBe(true);
});

test("differences come first, and alone where one asks for that", () => {
  const rows = [row("a", ["1", "1"]), row("b", ["1", "2"]), row("c", ["x", "x"])];
  expect(inOrder(rows, false).map((one) => one.label)).toEqual(["b", "a", "c"]);
  expect(inOrder(rows, true).map((one) => one.label)).toEqual(["b"]);
});

test("each run is compared once, and no more than six", () => {
  expect(runsOf(["a", "b", " a ", "", "c", "d", "e", "f", "g"])).toEqual(["a", "b", "c", "d", "e", "f"]);
});

describe("durations", () => {
  const bars = (task: string, ...seconds: number[]) => seconds.map((one) => ({ task, started: 100, ended: 100 + one }));
  test("are counted by task, with the middle and the sum of those that have ended", () => {
    const took = tookByTask([...bars("fit", 1, 3, 2, 10), { task: "fit", started: 100, ended: 0 }]);
    expect(took.get("fit")).toEqual({ count: 5, p50: 2.5, total: 16 });
    expect(tookByTask([{ task: "x", started: 0, ended: 0 }]).get("x")).toEqual({ count: 1, p50: 0, total: 0 });
  });
  test("that differ most come first; what hardly differs does not count as different", () => {
    const one = tookByTask([...bars("fit", 10), ...bars("load", 1), ...bars("same", 5)]);
    const other = tookByTask([...bars("fit", 12), ...bars("same", 5.01), ...bars("extra", 0)]);
    const lines = taskLines([one, other, null]);
    expect(lines.map((line) => [line.task, line.differs])).toEqual([
      ["fit", true],
      ["load", true],
      ["same", false],
      ["extra", true],
    ]);
    expect(lines[1]!.took).toEqual([{ count: 1, p50: 1, total: 1 }, undefined, null]);
  });
});

test("lines in which nothing changed are the same as before", () => {
  const before = [row("a", ["1", "2"]), row("b", ["1", "1"])];
  const now = kept([row("b", ["1", "1"]), row("a", ["1", "3"])], before);
  expect([now[0] === before[1], now[1] === before[0]]).toEqual([true, false]);
});
