import { describe, expect, it } from "vitest";
import { NOTHING_TRIED } from "./model";
import type { Piece } from "./model";
import { aTry, ran } from "./pieces.fixture";
import { layOut, rowAt } from "./rows";
import type { Arranging } from "./rows";

const how = (told: Partial<Arranging> = {}): Arranging => ({
  by: "task",
  tried: NOTHING_TRIED,
  isOpen: (_, count) => count <= 3,
  rowHeight: 20,
  room: 0,
  ...told,
});
const labels = (pieces: Piece[], told: Partial<Arranging> = {}) =>
  layOut(pieces, how(told)).rows.map((row) => `${"  ".repeat(row.depth)}${row.label}`);

describe("rows", () => {
  it("stand as their pieces began, whatever order those come in", () => {
    const pieces = [ran("c", 3, 4), ran("a", 1, 9), ran("b", 2, 3)];

    expect(labels(pieces, { by: "start" })).toEqual(["a", "b", "c"]);
  });

  it("stand where the first attempt began", () => {
    const tried = new Map([["a", [aTry({ started: 1, ended: 2 })]]]);

    expect(labels([ran("a", 5, 6, { attempt: 2 }), ran("b", 3, 4)], { by: "start", tried })).toEqual(["a", "b"]);
  });

  it("are grouped by task, and one that ran once has no group", () => {
    const pieces = [ran("x", 1, 2, { task: "fit" }), ran("y", 3, 4, { task: "load" }), ran("z", 5, 6, { task: "fit" })];

    expect(labels(pieces)).toEqual(["fit", "  x", "  z", "y"]);
  });

  it("are folded into lanes where there are many", () => {
    const pieces = Array.from({ length: 8 }, (_, n) => ran(`t${n}`, n % 4, (n % 4) + 1, { task: "fit" }));

    const layout = layOut(pieces, how());

    expect(layout.rows.map((row) => [row.kind, row.lanes.length])).toEqual([["group", 2]]);
    expect(layout.rowOf("t5")).toBe(0);
  });

  it("of a folded group are higher where there is room, and never higher than other rows", () => {
    const pieces = Array.from({ length: 8 }, (_, n) => ran(`t${n}`, n % 4, (n % 4) + 1, { task: "fit" }));

    const heights = [0, 32, 1_000].map((room) => layOut(pieces, how({ room })).height);

    expect(heights).toEqual([24, 32, 42]);
  });

  it("are grouped by subflow, with what those called below them", () => {
    const pieces = [
      ran("s", 2, 9, { isFlow: true, name: "inner" }),
      ran("t", 3, 4, { run: "s" }),
      ran("deep", 5, 8, { run: "s", isFlow: true }),
      ran("u", 6, 7, { run: "deep" }),
      ran("a", 1, 2),
    ];

    expect(labels(pieces, { by: "flow" })).toEqual(["a", "inner", "  t", "  deep", "    u"]);
    expect(labels(pieces, { by: "flow", isOpen: (key) => key !== "s" })).toEqual(["a", "inner"]);
  });

  it("show a task whose subflow is not known yet", () => {
    expect(labels([ran("t", 1, 2, { run: "unknown" })], { by: "flow" })).toEqual(["t"]);
  });

  it("are as many lanes as ran at once", () => {
    expect(labels([ran("a", 0, 5), ran("b", 1, 2), ran("c", 3, 4)], { by: "lanes" })).toEqual(["1", "2"]);
  });

  it("are found by their height", () => {
    const { rows, height } = layOut([ran("a", 1, 2), ran("b", 2, 3), ran("c", 3, 4)], how({ by: "start" }));

    expect(height).toBe(60);
    expect([-1, 0, 19, 20, 59, 60].map((y) => rowAt(rows, y))).toEqual([-1, 0, 0, 1, 2, -1]);
  });

  it("of ten thousand are made at once, not one by one against all others", () => {
    const pieces = Array.from({ length: 10_000 }, (_, n) => ran(`t${n}`, n / 8, n / 8 + 1));
    layOut(pieces, how());
    const began = performance.now();

    layOut(pieces, how());

    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
