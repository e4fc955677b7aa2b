import { describe, expect, it } from "vitest";
import { aTry, ran } from "./pieces.fixture";
import { layOut } from "./rows";
import { moved, spotAt, spotOf, thingAt } from "./spots";
import type { Step } from "./spots";

const NOW = 100;
const tried = new Map([["b", [aTry({ started: 2, ended: 3 })]]]);
const how = { tried, isOpen: () => false, rowHeight: 20, room: 0 };
const PIECES = [ran("a", 1, 5), ran("b", 6, 8, { attempt: 2, created: 2 }), ran("c", 0, 0, { created: 7 })];
const each = layOut(PIECES, { ...how, by: "start" });
const folded = layOut(
  [ran("a", 1, 5), ran("b", 2, 3), ran("c", 4, 8), ran("d", 9, 0)].map((one) => ({ ...one, task: "t" })),
  { ...how, by: "task", tried: new Map() },
);
const told = (layout: typeof each, spot: ReturnType<typeof spotAt>) => {
  const thing = spot && thingAt(layout, spot);
  return thing && [thing.row.label, thing.at ? `${thing.piece!.id}#${thing.at.attempt}` : ""];
};

describe("pointing", () => {
  it("finds the attempt that ran then", () => {
    expect(told(each, spotAt(each, 5, 3, 0, NOW))).toEqual(["a", "a#1"]);
    expect(told(each, spotAt(each, 25, 2.5, 0, NOW))).toEqual(["b", "b#1"]);
    expect(told(each, spotAt(each, 25, 7, 0, NOW))).toEqual(["b", "b#2"]);
  });

  it("finds the row alone beside all bars, and nothing below all rows", () => {
    expect(told(each, spotAt(each, 25, 4.5, 0.1, NOW))).toEqual(["b", ""]);
    expect(told(each, spotAt(each, 45, 7, 0.1, NOW))).toEqual(["c", ""]);
    expect(spotAt(each, 1_000, 7, 0.1, NOW)).toBeUndefined();
  });

  it("takes the nearer one of two bars that were just missed", () => {
    expect(told(each, spotAt(each, 25, 5.8, 1, NOW))).toEqual(["b", "b#2"]);
    expect(told(each, spotAt(each, 25, 3.1, 1, NOW))).toEqual(["b", "b#1"]);
  });

  it("tells the lanes of a folded group apart", () => {
    expect(folded.rows[0]!.lanes.length).toBe(2);
    expect(told(folded, spotAt(folded, 7, 2.5, 0, NOW))).toEqual(["t", "a#1"]);
    expect(told(folded, spotAt(folded, 14, 2.5, 0, NOW))).toEqual(["t", "b#1"]);
    expect(told(folded, spotAt(folded, 7, 50, 0, NOW))).toEqual(["t", "d#1"]);
  });
});

describe("keys", () => {
  const walk = (layout: typeof each, start: string, ...steps: Step[]) => {
    let spot = spotOf(layout, start)!;
    for (const step of steps) spot = moved(layout, spot, step, NOW);
    return told(layout, spot);
  };

  it("go through attempts and then on to the next row", () => {
    expect(walk(each, "a", "right")).toEqual(["b", "b#1"]);
    expect(walk(each, "a", "right", "right")).toEqual(["b", "b#2"]);
    expect(walk(each, "a", "right", "right", "right")).toEqual(["c", ""]);
    expect(walk(each, "c", "left")).toEqual(["b", "b#2"]);
    expect(walk(each, "b", "left", "left")).toEqual(["a", "a#1"]);
  });

  it("go up and down to what is near in time", () => {
    expect(walk(each, "a", "down")).toEqual(["b", "b#1"]);
    expect(walk(folded, "a", "down")).toEqual(["t", "b#1"]);
    expect(walk(folded, "c", "up")).toEqual(["t", "a#1"]);
  });

  it("stay where there is nothing further", () => {
    expect(walk(each, "a", "up")).toEqual(["a", "a#1"]);
    expect(walk(each, "c", "down")).toEqual(["c", ""]);
    expect(walk(each, "b", "first")).toEqual(["a", "a#1"]);
    expect(walk(each, "a", "last")).toEqual(["c", ""]);
  });

  it("find again what stands elsewhere after the rows have changed", () => {
    expect(told(folded, spotOf(folded, "c"))).toEqual(["t", "c#1"]);
    expect(spotOf(folded, "gone")).toBeUndefined();
  });
});
