import { describe, expect, it } from "vitest";
import { packed, placeIn } from "./lanes";
import { NOTHING_TRIED } from "./model";
import { aTry, ran } from "./pieces.fixture";

const ids = (lanes: ReturnType<typeof packed>) => lanes.map((lane) => lane.pieces.map((piece) => piece.id));

describe("lanes", () => {
  it("are as many as ran at once", () => {
    const pieces = [ran("a", 0, 5), ran("b", 1, 3), ran("c", 3, 6), ran("d", 5, 7), ran("e", 5.5, 8)];

    expect(ids(packed(pieces, NOTHING_TRIED))).toEqual([["a", "d"], ["b", "c"], ["e"]]);
  });

  it("are filled from the first one that is free", () => {
    const pieces = [ran("a", 0, 1), ran("b", 0, 2), ran("c", 0, 3), ran("d", 4, 5)];

    expect(ids(packed(pieces, NOTHING_TRIED))).toEqual([["a", "d"], ["b"], ["c"]]);
  });

  it("keep their place for what still runs", () => {
    expect(ids(packed([ran("a", 0, 0.1), ran("b", 0.05, 0), ran("c", 50, 51)], NOTHING_TRIED))).toEqual([
      ["a", "c"],
      ["b"],
    ]);
  });

  it("hold each attempt where it ran, and nothing for what never began", () => {
    const tried = new Map([["a", [aTry({ started: 0.5, ended: 1 })]]]);

    const lanes = packed([ran("a", 4, 5, { attempt: 2 }), ran("b", 2, 3), ran("c", 0, 0)], tried);

    expect(ids(lanes)).toEqual([["a", "b", "a"]]);
    expect(lanes[0]!.at.map((one) => one.started)).toEqual([0.5, 2, 4]);
  });

  it("know what stood in them at a time", () => {
    const [lane] = packed([ran("a", 0, 1), ran("b", 2, 3), ran("c", 4, 5)], NOTHING_TRIED);

    expect([-1, 0.1, 1.5, 2, 9].map((time) => placeIn(lane!, time))).toEqual([-1, 0, 0, 1, 2]);
  });

  it("never overlap, and are never more than needed", () => {
    let seed = 7;
    const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const pieces = Array.from({ length: 2_000 }, (_, n) => {
      const started = 1 + random() * 100;
      return ran(`t${n}`, started, started + 0.01 + random());
    });

    const lanes = packed(pieces, NOTHING_TRIED);

    for (const lane of lanes)
      for (let n = 1; n < lane.at.length; n += 1)
        expect(lane.at[n]!.started).toBeGreaterThan(lane.at[n - 1]!.ended - 0.001);
    const edges = pieces.flatMap((piece) => [[piece.started, 1] as const, [piece.ended, -1] as const]);
    let [now, most] = [0, 0];
    for (const [, step] of edges.sort((a, b) => a[0] - b[0])) most = Math.max(most, (now += step));
    expect(lanes.length).toBeLessThanOrEqual(most);
  });
});
