import { describe, expect, test } from "vitest";
import { ICONS } from "./icons";
import { STATES, countsInOrder, isFinal, lookOf, wentWrong } from "./state";

const FINAL = ["FAILED", "CRASHED", "CANCELLED", "COMPLETED"];

describe.each(STATES)("%s", (state) => {
  const look = lookOf(state);

  test("has a name, a colour with one for what lies behind it, and an icon that there is", () => {
    expect(look.label.toUpperCase()).toBe(state);
    expect(look.colour).toMatch(/^--[a-z]+$/);
    expect(ICONS[look.icon]).toBeTruthy();
  });

  test("is known in any case", () => {
    expect(lookOf(state.toLowerCase())).toBe(look);
  });

  test("is final where the engine says so", () => {
    expect(isFinal(state)).toBe(FINAL.includes(state));
  });
});

test("no two states look the same without colour", () => {
  const looks = STATES.map((state) => `${lookOf(state).icon} ${lookOf(state).pattern}`);

  expect(new Set(looks).size).toBe(STATES.length);
});

test("a state that is not known yet has its own name and a neutral look", () => {
  expect(lookOf("HIBERNATING")).toMatchObject({ label: "HIBERNATING", icon: "question", final: false });
  expect(lookOf("").label).toBe("Unknown");
});

test("failed and crashed runs went wrong, cancelled ones did not", () => {
  expect(STATES.filter(wentWrong)).toEqual(["FAILED", "CRASHED"]);
});

test("counts come in the order of the table, without those that are none", () => {
  expect(countsInOrder({ completed: 3, FAILED: 1, running: 2, crashed: 0 })).toEqual([
    ["RUNNING", 2],
    ["FAILED", 1],
    ["COMPLETED", 3],
  ]);
});
