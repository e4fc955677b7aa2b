import { expect, test } from "vitest";
import { hasExpired, linesFor } from "./expiries";

test("a key is worth nothing from the moment on at which it expires", () => {
  expect(hasExpired("2026-01-01T00:00:00Z", Date.UTC(2026, 0, 1) / 1000)).toBe(true);
  expect(hasExpired("2026-01-01T00:00:01Z", Date.UTC(2026, 0, 1) / 1000)).toBe(false);
});

test("a key without an end never expires", () => {
  expect(hasExpired(null, 1e12)).toBe(false);
});

test("the lines for a shell name the server and the key", () => {
  expect(linesFor("http://127.0.0.1:4300", "nadi_x").split("\n")).toEqual([
    "export NADI_API_URL=http://127.0.0.1:4300",
    "export NADI_API_KEY=nadi_x",
  ]);
});
