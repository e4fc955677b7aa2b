import { describe, expect, it } from "vitest";
import { countAt, mostPerColumn, stepsOf } from "./concurrency";
import { NOTHING_TRIED } from "./model";
import { aTry, ran } from "./pieces.fixture";

const steps = stepsOf([ran("a", 1, 4), ran("b", 2, 4), ran("c", 4, 6), ran("d", 5, 0)], NOTHING_TRIED);

describe("how many ran at once", () => {
  it("is known for each time", () => {
    expect([0, 1, 2, 3.9, 4, 5, 6, 99].map((time) => countAt(steps, time))).toEqual([0, 1, 2, 2, 1, 2, 1, 1]);
    expect(steps.most).toBe(2);
  });

  it("is of each stretch the most, however short that was", () => {
    const short = stepsOf([ran("a", 1, 9), ran("b", 5, 5.001)], NOTHING_TRIED);

    expect([...mostPerColumn(short, 5, (column) => column * 2)]).toEqual([1, 1, 2, 1, 1]);
  });

  it("counts each attempt, and subflows not at all", () => {
    const tried = new Map([["a", [aTry({ started: 1, ended: 2 })]]]);

    const found = stepsOf([ran("a", 5, 6, { attempt: 2 }), ran("f", 0, 9, { isFlow: true })], tried);

    expect([0.5, 1.5, 3, 5.5].map((time) => countAt(found, time))).toEqual([0, 1, 0, 1]);
  });
});
