import { expect, test } from "vitest";
import { slotsBetween, slotsOf, unitFor } from "./history-slots";

const local = (text: string) => new Date(text).getTime() / 1000;
const hour = (text: string, runs: Record<string, number>, seconds = 0) => ({
  start: new Date(text).toISOString(),
  runs,
  seconds,
});

test("a day has 24 hours, also those in which nothing was made", () => {
  const slots = slotsOf(
    [hour("2026-11-23T05:00:00", { completed: 2 }, 3), hour("2026-11-23T23:00:00", { failed: 1 })],
    local("2026-11-23T00:00:00"),
    local("2026-11-24T00:00:00"),
    "hour",
  );

  expect(slots).toHaveLength(24);
  expect(slots[5]).toMatchObject({ counts: { completed: 2 }, seconds: 3 });
  expect(slots[23]?.counts).toEqual({ failed: 1 });
});

test("hours are put together to six hours and days of whoever looks", () => {
  const hours = [
    hour("2026-11-23T00:00:00", { completed: 1 }, 1),
    hour("2026-11-23T05:00:00", { completed: 2, failed: 1 }, 2),
    hour("2026-11-23T06:00:00", { completed: 4 }, 4),
    hour("2026-11-24T01:00:00", { crashed: 1 }, 8),
  ];
  const range = [local("2026-11-23T00:00:00"), local("2026-11-25T00:00:00")] as const;

  const quarters = slotsOf(hours, ...range, "sixHours");
  const days = slotsOf(hours, ...range, "day");

  expect(quarters).toHaveLength(8);
  expect(quarters.map((slot) => slot.seconds)).toEqual([3, 4, 0, 0, 8, 0, 0, 0]);
  expect(days.map((slot) => slot.counts)).toEqual([{ completed: 7, failed: 1 }, { crashed: 1 }]);
});

test("what was made before or after the time is left out", () => {
  const slots = slotsOf(
    [hour("2026-11-22T23:00:00", { completed: 1 }), hour("2026-11-24T00:00:00", { completed: 1 })],
    local("2026-11-23T00:00:00"),
    local("2026-11-24T00:00:00"),
    "day",
  );

  expect(slots.map((slot) => slot.counts)).toEqual([{}]);
});

test("slots follow each other without gaps over a year, however clocks are changed", () => {
  for (const unit of ["sixHours", "day"] as const) {
    const slots = slotsBetween(local("2026-01-01T00:00:00"), local("2027-01-01T00:00:00"), unit);
    expect(slots).toHaveLength(unit === "day" ? 365 : 4 * 365);
    for (const [n, [start]] of slots.entries()) expect(start).toBe(n ? slots[n - 1]![1] : local("2026-01-01T00:00:00"));
  }
});

test("a time within a slot begins with the whole slot", () => {
  const [first] = slotsBetween(local("2026-11-23T14:20:00"), local("2026-11-23T15:00:00"), "sixHours");

  expect(first).toEqual([local("2026-11-23T12:00:00"), local("2026-11-23T18:00:00")]);
});

test("a week is shown by the hour, a fortnight by six hours, a month by the day", () => {
  const day = 86_400;
  expect([1, 7, 14, 30, 365].map((n) => unitFor(0, n * day))).toEqual(["hour", "hour", "sixHours", "day", "day"]);
});
