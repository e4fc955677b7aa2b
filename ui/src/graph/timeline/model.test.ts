import { describe, expect, it } from "vitest";
import { attemptsOf, beginOf, segmentsOf } from "./model";
import { aPiece, aTry } from "./pieces.fixture";

const NOW = 100;
const told = (segments: ReturnType<typeof segmentsOf>) =>
  segments.map((one) => [one.kind, one.from, one.to, one.attempt, one.state]);

describe("what a piece went through", () => {
  it("has waited from when it was accepted until it began", () => {
    const piece = aPiece({ created: 1, started: 3, ended: 7 });

    expect(told(segmentsOf(piece, undefined, NOW))).toEqual([
      ["wait", 1, 3, 1, "COMPLETED"],
      ["run", 3, 7, 1, "COMPLETED"],
    ]);
  });

  it("runs until now while it has not ended", () => {
    const piece = aPiece({ created: 3, started: 3, state: "RUNNING" });

    expect(told(segmentsOf(piece, undefined, NOW))).toEqual([["run", 3, NOW, 1, "RUNNING"]]);
  });

  it("shows each attempt, and the wait for the next one between them", () => {
    const piece = aPiece({ created: 1, started: 9, ended: 12, attempt: 2 });

    expect(told(segmentsOf(piece, [aTry({ attempt: 1, started: 1, ended: 4 })], NOW))).toEqual([
      ["run", 1, 4, 1, "FAILED"],
      ["retry", 4, 9, 2, "COMPLETED"],
      ["run", 9, 12, 2, "COMPLETED"],
    ]);
  });

  it("tells an attempt once that failed while the next is awaited", () => {
    const piece = aPiece({ created: 1, started: 1, attempt: 1, state: "SCHEDULED", due: 120 });

    expect(told(segmentsOf(piece, [aTry({ attempt: 1, started: 1, ended: 4 })], NOW))).toEqual([
      ["run", 1, 4, 1, "FAILED"],
      ["retry", 4, NOW, 1, "SCHEDULED"],
    ]);
  });

  it("waits until now when it never began, and until its end when it ended so", () => {
    const pending = aPiece({ created: 1, state: "PENDING" });
    const cancelled = aPiece({ created: 1, ended: 5, state: "CANCELLED" });

    expect(told(segmentsOf(pending, undefined, NOW))).toEqual([["wait", 1, NOW, 1, "PENDING"]]);
    expect(told(segmentsOf(cancelled, undefined, NOW))).toEqual([["wait", 1, 5, 1, "CANCELLED"]]);
  });

  it("never ends before it begins, whatever clocks say", () => {
    const piece = aPiece({ created: 5, started: 4, ended: 3 });

    expect(told(segmentsOf(piece, undefined, NOW))).toEqual([["run", 4, 4, 1, "COMPLETED"]]);
  });

  it("leaves out attempts that never began", () => {
    const piece = aPiece({ created: 1, started: 9, ended: 12, attempt: 2 });

    expect(attemptsOf(piece, [aTry({ attempt: 1, started: 0, ended: 4 })])).toEqual([piece]);
    expect(beginOf(piece, [aTry({ attempt: 1, started: 2, ended: 4 })])).toBe(2);
  });
});
