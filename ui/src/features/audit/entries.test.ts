import { expect, test } from "vitest";
import { actionWords, asLines, detailLine, wasRefused, whoBy } from "./entries";

test("an entry with a status of refusal was refused, and a command, which has none, was not", () => {
  expect(wasRefused({ status: 403 })).toBe(true);
  expect(wasRefused({ status: 0 })).toBe(false);
  expect(wasRefused({ status: 204 })).toBe(false);
});

test("who it was is told with the way by which they were known", () => {
  expect(whoBy({ who: "asha", how: "session" })).toBe("asha by a login");
  expect(whoBy({ who: "", how: "" })).toBe("somebody unknown");
  expect(whoBy({ who: "root", how: "" })).toBe("root");
});

test("an action is told in words", () => {
  expect(actionWords("login_by_link")).toBe("login by link");
});

test("details are told in one line, without those that say nothing", () => {
  expect(detailLine({ role: "viewer", scopes: ["read"], note: "", none: null, empty: [] })).toBe(
    'role: viewer · scopes: ["read"]',
  );
  expect(detailLine(null)).toBe("");
});

test("entries are saved one a line", () => {
  const entry = {
    seq: 1,
    at: null,
    who: "a",
    how: "",
    origin: "cli",
    action: "x",
    subject: "",
    status: 0,
    detail: null,
  };
  expect(
    asLines([entry, entry] as never)
      .trimEnd()
      .split("\n"),
  ).toHaveLength(2);
});
