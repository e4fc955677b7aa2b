import { expect, test } from "vitest";
import { changeOf, figuresOf, pointsOf } from "./figures";

test("success is what completed of what completed or went wrong", () => {
  const figures = figuresOf([
    { counts: { completed: 6, cancelled: 1, running: 2 }, seconds: 14 },
    { counts: { failed: 1, crashed: 1 }, seconds: 4 },
  ]);

  expect(figures).toEqual({ runs: 11, completed: 6, failed: 2, success: 0.75, mean: 2 });
});

test("where nothing has ended there is neither success nor a mean", () => {
  expect(figuresOf([{ counts: { running: 3 }, seconds: 0 }])).toEqual({
    runs: 3,
    completed: 0,
    failed: 0,
    success: undefined,
    mean: undefined,
  });
});

test("a change is told by its size and direction", () => {
  expect(changeOf(112, 100)).toEqual({ text: "+12 %", direction: 1, isLarge: true });
  expect(changeOf(88, 100)).toEqual({ text: "−12 %", direction: -1, isLarge: true });
  expect(changeOf(100, 100)).toEqual({ text: "same", direction: 0, isLarge: false });
  expect(changeOf(5_000, 10)).toEqual({ text: "500 times", direction: 1, isLarge: true });
  expect(pointsOf(0.97, 0.99)).toEqual({ text: "−2 points", direction: -1, isLarge: true });
  expect(pointsOf(1, 0.99)).toEqual({ text: "+1 point", direction: 1, isLarge: true });
});

test("a small change is no alarm", () => {
  expect(pointsOf(0.998, 0.999)?.isLarge).toBe(false);
  expect(changeOf(105, 100)?.isLarge).toBe(false);
});

test("with nothing before there is nothing to compare", () => {
  expect(changeOf(5, 0)).toBeUndefined();
  expect(changeOf(undefined, 3)).toBeUndefined();
  expect(pointsOf(1, undefined)).toBeUndefined();
});
