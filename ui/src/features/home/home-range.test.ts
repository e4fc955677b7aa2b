import { expect, test } from "vitest";
import { chosenOf, inUrl, rangeName, rangeOf } from "./home-range";

const local = (text: string) => new Date(text).getTime() / 1000;
const NOW = local("2026-11-23T14:20:00");

test("a day is 24 hours, the one that is not over being the last", () => {
  const range = rangeOf("24h", NOW, false);

  expect(range).toMatchObject({ from: local("2026-11-22T15:00:00"), to: local("2026-11-23T15:00:00"), unit: "hour" });
  expect(range.before).toBe(local("2026-11-21T15:00:00"));
});

test("a week is told by the hour, and by six hours where there is little room", () => {
  expect(rangeOf("7d", NOW, false)).toMatchObject({ from: local("2026-11-16T15:00:00"), unit: "hour" });
  expect(rangeOf("7d", NOW, true)).toMatchObject({
    from: local("2026-11-16T18:00:00"),
    to: local("2026-11-23T18:00:00"),
    unit: "sixHours",
    before: local("2026-11-09T18:00:00"),
  });
  expect(rangeOf("7d", local("2026-11-23T18:00:00"), true).to).toBe(local("2026-11-24T00:00:00"));
});

test("a month is 30 days of the calendar, today included", () => {
  const range = rangeOf("30d", NOW, false);

  expect(range).toMatchObject({ from: local("2026-10-25T00:00:00"), to: local("2026-11-24T00:00:00"), unit: "day" });
  expect(range.before).toBe(local("2026-09-25T00:00:00"));
});

test("an unknown range is the last day", () => {
  expect(["", "7d", "1y"].map(rangeName)).toEqual(["24h", "7d", "24h"]);
});

test("what was chosen comes back from the URL as it went in, and what makes no time is nothing", () => {
  const [from, to] = [1_794_999_600, 1_795_003_200];

  expect(chosenOf(inUrl(from), inUrl(to))).toEqual([from, to]);
  expect(inUrl(from)).toBe("2026-11-18T11:00:00Z");
  for (const told of [
    ["", ""],
    [inUrl(to), inUrl(from)],
    ["yesterday", "today"],
    [inUrl(from), ""],
  ]) {
    expect(chosenOf(told[0]!, told[1]!)).toBeUndefined();
  }
});

test("a time within an hour is that hour", () => {
  expect(chosenOf("2026-11-18T11:20:00Z", "2026-11-18T12:01:00Z")).toEqual([1_794_999_600, 1_795_006_800]);
});
