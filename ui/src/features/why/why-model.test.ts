import { describe, expect, test } from "vitest";
import { commandsIn, grouped } from "./why-model";
import type { Reason } from "./why-model";

const reason = (state_type: string, state = state_type, count = 1): Reason => ({
  subject: "a",
  state,
  state_type,
  why: "",
  count,
  task_run: "1",
});

test("reasons stand in groups, what runs first, and are counted", () => {
  const groups = grouped([
    reason("FAILED", "Failed"),
    reason("FAILED", "NotReady", 4),
    reason("COMPLETED", "Cached", 2),
    reason("RUNNING"),
    reason("PENDING", "Pending", 30),
    reason("SCHEDULED"),
    reason("CANCELLED"),
  ]);

  expect(groups.map((group) => [group.title, group.n])).toEqual([
    ["Runs", 1],
    ["Waits", 31],
    ["Went wrong", 1],
    ["Did not run", 5],
    ["Reused", 2],
  ]);
});

describe("commands", () => {
  const found = (sentence: string) =>
    commandsIn(sentence)
      .filter((part) => part.isCommand)
      .map((part) => part.text);

  test.each([
    ["nadi resume calm-koi-7 continues it; finished tasks are kept.", ["nadi resume calm-koi-7"]],
    [
      "nadi logs calm-koi-7 -f follows it; nadi cancel calm-koi-7 stops it.",
      ["nadi logs calm-koi-7 -f", "nadi cancel calm-koi-7"],
    ],
    ["Answer it with: nadi resume a-b-1 --input reason=...", ["nadi resume a-b-1 --input reason=..."]],
    ["nadi resume 01a2-b continues it; nadi cancel 01a2-b ends it.", ["nadi resume 01a2-b", "nadi cancel 01a2-b"]],
    ["It failed 2 s ago: no price.", []],
  ])("%s", (sentence, commands) => {
    expect(found(sentence)).toEqual(commands);
    expect(
      commandsIn(sentence)
        .map((part) => part.text)
        .join(""),
    ).toBe(sentence);
  });
});
