import { expect, test } from "vitest";
import { utc } from "~/lib/times";
import { nextLook } from "./next-look";

const NOW = 1_800_000_000;
const waiting = (since: number, late?: number) => ({
  since: utc(NOW - since),
  late_from: late === undefined ? null : utc(NOW + late),
});

test("while nothing waits there is no next look", () => {
  expect(nextLook([], NOW)).toBeUndefined();
});

test.each([
  [5, 60],
  [90, 90],
  [200, 200],
  [7_200, 300],
])("what has waited for %s s is told anew after %s s", (since, next) => {
  expect(nextLook([waiting(since)], NOW)).toBe(next);
});

test("of several the one that waits for the shortest time counts", () => {
  expect(nextLook([waiting(7_200), waiting(100)], NOW)).toBe(100);
});

test("what becomes late is looked at when it is, and not again for having been late before", () => {
  expect(nextLook([waiting(100, 20)], NOW)).toBe(21);
  expect(nextLook([waiting(100, -20)], NOW)).toBe(100);
});

test("what does not say since when it waits is new", () => {
  expect(nextLook([{ since: null, late_from: null }], NOW)).toBe(60);
});
