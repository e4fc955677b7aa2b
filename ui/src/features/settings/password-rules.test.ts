import { expect, test } from "vitest";
import { passwordProblem } from "./password-rules";

const GOOD = { old: "what it was", fresh: "a long enough one", again: "a long enough one" };

test("a password that is long enough and told twice is taken", () => {
  expect(passwordProblem(GOOD)).toBeUndefined();
});

test.each([
  [{ ...GOOD, old: "" }, "old"],
  [{ ...GOOD, fresh: "short", again: "short" }, "fresh"],
  [{ ...GOOD, again: "a long enough two" }, "again"],
] as const)("what is wrong is told at its field: %o", (given, at) => {
  expect(passwordProblem(given)?.at).toBe(at);
});

test("characters are counted as people count them", () => {
  expect(passwordProblem({ ...GOOD, fresh: "🦊".repeat(11), again: "🦊".repeat(11) })?.text).toContain("11 characters");
});
