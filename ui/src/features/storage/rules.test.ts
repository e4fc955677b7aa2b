import { expect, test } from "vitest";
import { inOrder, lengthInWords, secondsOf, sentenceOf } from "./rules";

test.each([
  [0, "no time at all"],
  [1, "1 second"],
  [3_600, "1 hour"],
  [86_400, "1 day"],
  [7 * 86_400, "1 week"],
  [30 * 86_400, "30 days"],
  [35 * 86_400, "35 days"],
  [90_000, "25 hours"],
])("%d seconds are %s", (seconds, words) => {
  expect(lengthInWords(seconds)).toBe(words);
});

test("a rule says of which runs it speaks and what becomes of them", () => {
  expect(sentenceOf({ flow: "", state: null, age: null })).toBe("Keep finished runs of every flow for ever.");
  expect(sentenceOf({ flow: "daily", state: "FAILED", age: 86_400 })).toBe(
    "Remove failed runs of flow daily 1 day after their end, with their logs, artifacts and result files.",
  );
});

test("a rule that names its flow counts before one that names its state, and that before the others", () => {
  const rules = [
    { flow: "", state: null, age: 1 },
    { flow: "", state: "FAILED", age: 2 },
    { flow: "a", state: null, age: 3 },
    { flow: "a", state: "FAILED", age: 4 },
  ];
  expect(inOrder(rules).map((rule) => rule.age)).toEqual([4, 3, 2, 1]);
});

test.each([
  ["2", "days", 172_800],
  ["1,5", "hours", 5_400],
  ["", "days", null],
  ["-1", "days", null],
  ["x", "days", null],
])("%s %s are %s seconds", (count, unit, seconds) => {
  expect(secondsOf(count, unit)).toBe(seconds);
});
