import { describe, expect, it } from "vitest";
import { criticalPath } from "./critical-path";
import { NOTHING_TRIED } from "./model";
import type { Piece } from "./model";
import { aTry, ran } from "./pieces.fixture";

const path = (pieces: Piece[], now = 100) => {
  const found = criticalPath(pieces, NOTHING_TRIED, now);
  return [found.pieces.map((piece) => piece.id).join(" "), found.links.join(" ")];
};

describe("the critical path", () => {
  it("follows of all upstreams the one that ended last", () => {
    const pieces = [ran("a", 0, 5), ran("b", 0, 9), ran("c", 9, 10, { created: 0, upstream: ["a", "b"] })];

    expect(path(pieces)).toEqual(["b c", "outcome"]);
  });

  it("goes on in time where nothing was taken from anyone", () => {
    expect(path([ran("a", 0, 5), ran("b", 0, 2), ran("c", 5.001, 8)])).toEqual(["a c", "time"]);
  });

  it("goes through what made room where a piece waited for a place", () => {
    const pieces = [ran("a", 0, 5), ran("b", 0, 9), ran("c", 5, 12, { created: 0 })];

    expect(path(pieces)).toEqual(["a c", "place"]);
  });

  it("ends at what still runs", () => {
    expect(path([ran("a", 0, 5), ran("b", 5, 0, { upstream: ["a"] })])).toEqual(["a b", "outcome"]);
  });

  it("leaves out what never began, and subflows, which others run within", () => {
    const pieces = [ran("a", 0, 5), ran("f", 0, 9, { isFlow: true }), ran("b", 0, 0, { created: 6 })];

    expect(path(pieces)).toEqual(["a", ""]);
    expect(path([])).toEqual(["", ""]);
  });

  it("says how much of its length something ran: each attempt, and no wait between them", () => {
    const tried = new Map([["b", [aTry({ started: 6, ended: 7 })]]]);
    const pieces = [ran("a", 1, 5), ran("b", 8, 9, { created: 5, attempt: 2, upstream: ["a"] })];

    const found = criticalPath(pieces, tried, 100);

    expect([found.ran, found.length]).toEqual([6, 8]);
  });

  it("comes to an end where times or upstreams go in a circle", () => {
    const pieces = [ran("a", 5, 5, { upstream: ["b"] }), ran("b", 5, 5, { upstream: ["a"] })];

    expect(path(pieces)[0]!.split(" ").length).toBeLessThanOrEqual(2);
  });

  it("of ten thousand is found at once", () => {
    const pieces = Array.from({ length: 10_000 }, (_, n) => ran(`t${n}`, n / 8, n / 8 + 1, { created: 0 }));
    const began = performance.now();

    expect(criticalPath(pieces, NOTHING_TRIED, 0).pieces.length).toBeGreaterThan(100);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
