import { expect, test } from "vitest";
import { bucketTold, countsTold } from "./state-histogram-words";

const between = (from: string, to: string) => ({
  start: new Date(from).getTime() / 1000,
  end: new Date(to).getTime() / 1000,
});

test("an hour is told with its day, a whole day by its date alone", () => {
  expect(bucketTold(between("2026-11-23T14:00:00", "2026-11-23T15:00:00"))).toBe("Mon 23 Nov, 14:00 to 15:00");
  expect(bucketTold(between("2026-11-23T23:00:00", "2026-11-24T00:00:00"))).toBe("Mon 23 Nov, 23:00 to 00:00");
  expect(bucketTold(between("2026-11-23T00:00:00", "2026-11-24T00:00:00"))).toBe("Mon 23 Nov");
});

test("several days are told by the first and the last", () => {
  expect(bucketTold(between("2026-11-23T00:00:00", "2026-11-26T00:00:00"))).toBe("Mon 23 Nov to Wed 25 Nov");
  expect(bucketTold(between("2026-11-23T18:00:00", "2026-11-24T06:00:00"))).toBe(
    "Mon 23 Nov, 18:00 to Tue 24 Nov, 06:00",
  );
});

test("counts are told in the order of the table of states", () => {
  expect(countsTold({ completed: 1_200, failed: 2 })).toBe("2 failed, 1,200 completed");
  expect(countsTold({})).toBe("none");
});
