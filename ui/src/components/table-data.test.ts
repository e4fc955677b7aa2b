import { describe, expect, test } from "vitest";
import { cellText, looksOf, rowsWith, sortedRows, tableOf } from "./table-data";

describe("a table", () => {
  const wanted = { columns: ["a", "b"], rows: [[1, null], [2, "x"]] }; // prettier-ignore
  test.each([
    [{ columns: ["a", "b"], rows: [[1, null], [2, "x"]] }], // prettier-ignore
    [[{ a: 1 }, { a: 2, b: "x" }]],
    [{ a: [1, 2], b: [null, "x"] }],
  ])("is told as columns and rows, as objects, or as lists", (told) => {
    expect(tableOf(told)).toEqual(wanted);
  });
  test("without names has numbers for them, as many as its longest row is wide", () => {
    expect(tableOf([[1], [1, 2]])!.columns).toEqual(["1", "2"]);
    expect(tableOf({ columns: [], rows: [[1, 2]] })!.columns).toEqual(["1", "2"]);
  });
  test("is nothing that is told otherwise", () => {
    expect([tableOf("x"), tableOf(null), tableOf({ a: 1 }), tableOf([1, "x"])]).toEqual(Array(4).fill(undefined));
  });
});

describe("rows", () => {
  const values = ["b10", null, 3, "b9", 20n, -1, ""];
  const sorted = (descending: boolean) =>
    sortedRows(
      values.map((_, n) => n),
      (n) => values[n],
      descending,
    ).map((n) => values[n]);
  test("are sorted by numbers first, texts as people count, and what is empty at the end either way", () => {
    expect(sorted(false)).toEqual([-1, 3, 20n, "b9", "b10", null, ""]);
    expect(sorted(true)).toEqual(["b10", "b9", 20n, 3, -1, null, ""]);
  });
  test("fit a filter when all its words occur in them", () => {
    const table = tableOf([{ a: "North Sea", b: 1 }, { a: "South", b: 12 }])!; // prettier-ignore
    expect(rowsWith(table, "")).toEqual([0, 1]);
    expect(rowsWith(table, "sea 1")).toEqual([0]);
    expect(rowsWith(table, "nowhere")).toEqual([]);
  });
});

test("a column of numbers is known by its values, and none is wider than it should be", () => {
  const looks = looksOf(tableOf([{ n: 1, t: "x".repeat(10_000), e: null }, { n: null, t: "y", e: null }])!); // prettier-ignore
  expect(looks.map((look) => look.isNumeric)).toEqual([true, false, false]);
  expect(looks[1]!.width).toBe("minmax(320px, 320fr)");
});

test("nothing is shown as nothing, and what is within as JSON", () => {
  expect([null, undefined, 0, false, { a: [1n] }].map(cellText)).toEqual(["", "", "0", "false", '{"a":[1]}']);
});
