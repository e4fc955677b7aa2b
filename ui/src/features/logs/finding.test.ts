// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}

import { describe, expect, it } from "vitest";
import { fits, nextOf } from "./finding";
import type { Line } from "./lines";
import { matching } from "./task-names";
import { rowOfTask } from "~/data/tasks";

function line(number: number, text: string, level = "INFO"): Line {
  return { number, at: 0, level, run: "", task: "", logger: "", text };
}

const LINES = [line(10, "Alpha"), line(20, "beta", "ERROR"), line(30, "alphabet", "WARNING")];

describe("finding the next line", () => {
  it("goes forwards and backwards from a number, which itself does not count", () => {
    const wanted = { text: "ALPHA" };

    expect(nextOf(LINES, 9, 1, wanted)?.number).toBe(10);
    expect(nextOf(LINES, 10, 1, wanted)?.number).toBe(30);
    expect(nextOf(LINES, 30, 1, wanted)).toBeUndefined();
    expect(nextOf(LINES, 30, -1, wanted)?.number).toBe(10);
    expect(nextOf(LINES, 10, -1, wanted)).toBeUndefined();
  });

  it("takes a level and those above it", () => {
    expect(LINES.map((one) => fits(one, { level: "WARNING" }))).toEqual([false, true, true]);
    expect(LINES.map((one) => fits(one, { level: "ERROR" }))).toEqual([false, true, false]);
  });
});

describe("task runs to choose from", () => {
  const rows = ["load", "fit-1", "fit-2"].map((name, n) =>
    rowOfTask({ id: String(n), name, state: n === 2 ? "FAILED" : "COMPLETED", message: "" } as never),
  );

  it("are those whose name holds what is written, failed ones first", () => {
    expect(matching(rows, "FIT", 10).map((row) => row.name)).toEqual(["fit-2", "fit-1"]);
    expect(matching(rows, "", 2).map((row) => row.name)).toEqual(["fit-2", "load"]);
    expect(matching(rows, "none", 2)).toEqual([]);
  });
});
