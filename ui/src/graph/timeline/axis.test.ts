import { describe, expect, it } from "vitest";
import { Axis, axisFor, merged } from "./axis";

describe("an axis", () => {
  it("is as long as the time that it holds", () => {
    const axis = axisFor([{ from: 10, to: 20 }], { from: 8, to: 21 }, false);

    expect([axis.from, axis.to, axis.length]).toEqual([8, 21, 13]);
    expect(axis.at(10)).toBe(2);
    expect(axis.time(2)).toBe(10);
  });

  it("cuts hours in which nothing ran down to a little", () => {
    const axis = axisFor(
      [
        { from: 0, to: 10 },
        { from: 7_200, to: 7_210 },
      ],
      { from: 0, to: 7_210 },
      false,
    );

    expect(axis.cuts.map((cut) => [cut.from, cut.to])).toEqual([[10, 7_200]]);
    expect(axis.length).toBeLessThan(22);
    expect(axis.at(7_205)).toBeCloseTo(axis.length - 5);
  });

  it("leaves the hours in on its true scale", () => {
    const axis = axisFor(
      [
        { from: 0, to: 10 },
        { from: 7_200, to: 7_210 },
      ],
      { from: 0, to: 7_210 },
      true,
    );

    expect([axis.cuts.length, axis.length]).toEqual([0, 7_210]);
  });

  it("leaves short gaps in, however little ran", () => {
    const axis = axisFor(
      [
        { from: 0, to: 0.01 },
        { from: 1, to: 1.01 },
      ],
      { from: 0, to: 1.01 },
      false,
    );

    expect(axis.cuts).toEqual([]);
  });

  it("cuts what lies before the first and after the last", () => {
    const axis = axisFor([{ from: 100, to: 101 }], { from: 0, to: 200 }, false);

    expect(axis.cuts.map((cut) => [cut.from, cut.to])).toEqual([
      [0, 100],
      [101, 200],
    ]);
  });

  it("has all of its time where nothing ran at all", () => {
    expect(axisFor([], { from: 0, to: 500 }, false).length).toBe(500);
  });

  it("finds each time again from where it is shown, within cuts as well", () => {
    const axis = new Axis(
      0,
      300,
      [
        { from: 10, to: 100 },
        { from: 120, to: 280 },
      ],
      5,
    );

    for (const time of [-20, 0, 9, 10, 55, 100, 110, 120, 200, 280, 290, 400])
      expect(axis.time(axis.at(time))).toBeCloseTo(time);
    expect(axis.length).toBe(300 - 85 - 155);
  });
});

describe("intervals", () => {
  it("that touch or overlap are one", () => {
    const all = [
      { from: 5, to: 6 },
      { from: 0, to: 4 },
      { from: 4, to: 5 },
      { from: 9, to: 9 },
      { from: 1, to: 2 },
    ];

    expect(merged(all)).toEqual([
      { from: 0, to: 6 },
      { from: 9, to: 9 },
    ]);
  });
});
