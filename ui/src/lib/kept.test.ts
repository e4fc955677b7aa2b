// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";
import { kept } from "./kept";

const isText = (told: unknown): told is string => typeof told === "string";

beforeEach(() => localStorage.clear());

test("what was set is there at the next visit", () => {
  const [, set] = kept("colour", "blue", isText);
  set("red");

  expect(kept("colour", "blue", isText)[0]()).toBe("red");
});

test("a value can be made from the one before", () => {
  const [value, set] = kept("count", 1, (told) => typeof told === "number");
  set((before) => before + 1);

  expect(value()).toBe(2);
  expect(localStorage.getItem("nadi.count")).toBe("2");
});

test.each(["7", "{", "null", '{"a":1}'])("what does not fit is as if nothing was there: %s", (text) => {
  localStorage.setItem("nadi.colour", text);

  expect(kept("colour", "blue", isText)[0]()).toBe("blue");
});

test("a browser that keeps nothing has the value until the page is left", () => {
  const refused = vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new DOMException("no", "QuotaExceededError");
  });
  const [value, set] = kept("colour", "blue", isText);
  set("red");

  expect(value()).toBe("red");
  refused.mockRestore();
});
