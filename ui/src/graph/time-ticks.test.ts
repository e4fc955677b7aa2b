import { expect, test } from "vitest";
import { dayOf, daysLater } from "~/lib/times";
import { ticksOf } from "./time-ticks";

const local = (text: string) => new Date(text).getTime() / 1000;

test("ticks stand at whole hours and leave room for their labels", () => {
  const ticks = ticksOf(local("2026-11-23T08:20:00"), local("2026-11-23T20:20:00"), 600);

  expect(ticks.map((tick) => tick.label)).toEqual(["10:00", "12:00", "14:00", "16:00", "18:00", "20:00"]);
});

test("where a day begins its date stands instead of midnight", () => {
  const ticks = ticksOf(local("2026-11-22T20:00:00"), local("2026-11-23T04:00:00"), 400);

  expect(ticks.filter((tick) => tick.isDay).map((tick) => tick.label)).toEqual(["23 Nov"]);
});

test("a month is told by days", () => {
  const ticks = ticksOf(local("2026-11-01T00:00:00"), local("2026-12-01T00:00:00"), 600);

  expect(ticks[0]?.label).toBe("2 Nov");
  expect(ticks.length).toBeLessThan(9);
});

test("years are told by months, and no time by nothing", () => {
  expect(ticksOf(local("2024-01-01T00:00:00"), local("2026-01-01T00:00:00"), 700)[0]?.label).toBe("Jan 2024");
  expect(ticksOf(5, 5, 700)).toEqual([]);
  expect(ticksOf(0, 100, 0)).toEqual([]);
});

test("any range has few ticks, and no two at one time", () => {
  for (const span of [0.5, 10, 3600, 86_400, 40 * 86_400, 9e7, 4e9]) {
    const ticks = ticksOf(local("2026-03-01T00:00:00"), local("2026-03-01T00:00:00") + span, 800);
    expect(ticks.length).toBeLessThan(30);
    expect(new Set(ticks.map((tick) => tick.at)).size).toBe(ticks.length);
  }
});

test("a day is what the calendar says", () => {
  const noon = local("2026-11-23T12:00:00");

  expect(dayOf(noon)).toBe(local("2026-11-23T00:00:00"));
  expect(daysLater(dayOf(noon), 8)).toBe(local("2026-12-01T00:00:00"));
});
