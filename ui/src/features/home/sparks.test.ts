import { expect, test } from "vitest";
import { sparksOf } from "./sparks";

test("bars are as tall as their part of the time had many", () => {
  expect(sparksOf([1, 2, 11, 35], 0, 40, 4)).toEqual([1, 0.5, 0, 0.5]);
});

test("one among many is seen, and what is beyond the ends counts there", () => {
  const bars = sparksOf([...Array.from({ length: 99 }, () => 5), 50, -3], 0, 40, 2);

  expect(bars).toEqual([1, 0.15]);
});

test("nothing is no bar", () => {
  expect(sparksOf([], 0, 40, 3)).toEqual([0, 0, 0]);
});
