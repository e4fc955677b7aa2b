import { expect, test } from "vitest";
import { parsedJson, shownJson } from "./json-text";

test("a text that is JSON has its value, null too", () => {
  expect(parsedJson('{"a": [1]}')).toEqual({ value: { a: [1] } });
  expect(parsedJson("null")).toEqual({ value: null });
});

test("a text that is none says so in a sentence", () => {
  expect(parsedJson("hello")).toEqual({
    problem: expect.stringMatching(/^This is not JSON: .+\. Text stands/) as string,
  });
});

test("a long value is cut where there is little room", () => {
  expect(shownJson("x".repeat(50), 10)).toBe('"xxxxxxxx…');
  expect(shownJson({ a: 1 }, 100)).toBe('{"a":1}');
});
