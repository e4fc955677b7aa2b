import { expect, test } from "vitest";
import { safeNext } from "./next";

test.each([
  ["/runs?state=FAILED&text=a%20b", "/runs?state=FAILED&text=a%20b"],
  ["/runs/01a2/logs#line-3", "/runs/01a2/logs#line-3"],
  ["/", "/"],
  ["/loginless", "/loginless"],
])("a path of the UI stays: %s", (told, path) => {
  expect(safeNext(told)).toBe(path);
});

test.each([
  "",
  "runs",
  "//evil.example/x",
  "/\\evil.example",
  "\\\\evil.example",
  "/\t/evil.example",
  "/\n/evil.example",
  "/.//evil.example",
  "/x/..//evil.example",
  "/%2e//evil.example",
  "https://evil.example/",
  "javascript:alert(1)",
  " //evil.example",
])("what leads elsewhere leads to the start page: %j", (told) => {
  expect(safeNext(told)).toBe("/");
});

test.each(["/login", "/login?next=/login", "/login/"])("nobody is sent to log in again: %s", (told) => {
  expect(safeNext(told)).toBe("/");
});
