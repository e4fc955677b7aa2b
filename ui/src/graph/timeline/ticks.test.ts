import { describe, expect, it } from "vitest";
import { Axis } from "./axis";
import { stepOf, tickLabel, ticksOf } from "./ticks";

describe("the marks of an axis", () => {
  it("stand at round times", () => {
    expect([0.0003, 0.003, 0.04, 0.3, 0.7, 3, 20, 40, 200, 5_000].map(stepOf)).toEqual([
      0.0005, 0.005, 0.05, 0.5, 1, 5, 30, 60, 300, 7_200,
    ]);
  });

  it("say how long after the beginning they stand", () => {
    const told: [number, number, string][] = [
      [0, 1, "0"],
      [0.25, 0.05, "250 ms"],
      [0.0005, 0.0005, "0.5 ms"],
      [1.5, 0.5, "1.5 s"],
      [45, 15, "45 s"],
      [3_284.25, 0.05, "54:44.25"],
      [125, 5, "2:05"],
      [3_600, 600, "1:00 h"],
      [3_605, 5, "1:00:05"],
      [187_200, 3_600, "2d 4h"],
    ];

    for (const [since, step, label] of told) expect(tickLabel(since, step)).toBe(label);
  });

  it("stand at the same times however the view is moved", () => {
    const axis = new Axis(1_000, 1_100);

    expect(ticksOf(axis, { from: 12, to: 58 }, 9).map((tick) => tick.since)).toEqual([20, 30, 40, 50]);
    expect(ticksOf(axis, { from: 12.3, to: 58.3 }, 9).map((tick) => Math.round(tick.at * 1e6) / 1e6)).toEqual([
      20, 30, 40, 50,
    ]);
  });

  it("leave a cut out, and count from its end after it", () => {
    const axis = new Axis(0, 3_630, [{ from: 30, to: 3_600 }], 4);

    const ticks = ticksOf(axis, { from: 0, to: 64 }, 10);

    expect(ticks.map((tick) => tick.label)).toEqual(["0", "10 s", "20 s", "30 s", "+10 s", "+20 s", "+30 s"]);
    expect(ticks.at(-1)!.at).toBeCloseTo(64);
  });
});
