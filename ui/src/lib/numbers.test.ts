import { expect, test } from "vitest";
import { bytes, count, measured, percent, plural, short } from "./numbers";

test("counts are grouped, and short where there is little room", () => {
  expect(count(1_234_567)).toBe("1,234,567");
  expect(short(9_999)).toBe("9,999");
  expect(short(12_345)).toBe("12.3K");
});

test("one is one, everything else is many", () => {
  expect([0, 1, 2].map((n) => plural(n, "run"))).toEqual(["0 runs", "1 run", "2 runs"]);
  expect(plural(2, "entry", "entries")).toBe("2 entries");
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1.0 kB"],
  [12_345, "12 kB"],
  [3_400_000, "3.4 MB"],
  [5e15, "5000 TB"],
])("%i bytes are %s", (size, told) => {
  expect(bytes(size)).toBe(told);
});

test.each([
  [0, 0, "–"],
  [0, 10, "0 %"],
  [10, 10, "100 %"],
  [9_999, 10_000, "99 %"],
  [1, 10_000, "1 %"],
  [1, 3, "33 %"],
])("a share of %i in %i is %s: never 100 or 0 where that is not so", (part, whole, told) => {
  expect(percent(part, whole)).toBe(told);
});

test.each([
  [null, "not a number"],
  [0, "0"],
  [12_345, "12,345"],
  [0.123456789, "0.12346"],
  [1234.5678, "1234.6"],
  [1.5e9 + 0.5, "1.500e+9"],
  [0.00001234, "1.234e-5"],
])("a value %s is told as %s", (value, told) => {
  expect(measured(value)).toBe(told);
});
