import { describe, expect, it } from "vitest";
import { atEnd, kept, panned, showing, whole, zoomed } from "./view";

const LENGTH = 100;
const span = (view: { from: number; to: number }) => view.to - view.from;

describe("a view", () => {
  it("keeps what is under the pointer where it is while it zooms", () => {
    const view = zoomed({ from: 20, to: 60 }, 0.5, 30, LENGTH);

    expect(span(view)).toBeCloseTo(20);
    expect((30 - view.from) / span(view)).toBeCloseTo(0.25);
  });

  it("never becomes wider than everything, nor endlessly close", () => {
    expect(zoomed({ from: 20, to: 60 }, 1_000, 30, LENGTH)).toEqual(whole(LENGTH));
    expect(span(zoomed({ from: 20, to: 60 }, 1e-12, 30, LENGTH))).toBeGreaterThan(0);
  });

  it("stays on the axis however far it is panned", () => {
    expect(panned({ from: 20, to: 60 }, -500, LENGTH).from).toBe(whole(LENGTH).from);
    expect(panned({ from: 20, to: 60 }, 500, LENGTH).to).toBeCloseTo(whole(LENGTH).to);
    expect(kept({ from: -50, to: 500 }, LENGTH)).toEqual(whole(LENGTH));
  });

  it("goes to the end without becoming longer", () => {
    const view = atEnd({ from: 0, to: 10 }, LENGTH);

    expect(span(view)).toBeCloseTo(10);
    expect(view.to).toBeGreaterThan(LENGTH);
  });

  it("moves to what is to be seen, and only where it is not seen yet", () => {
    const view = { from: 20, to: 60 };

    expect(showing(view, 30, 40, LENGTH)).toBe(view);
    expect(showing(view, 70, 75, LENGTH).to).toBeGreaterThan(75);
    expect(showing(view, 5, 8, LENGTH).from).toBeLessThan(5);
    expect(showing(view, 10, 95, LENGTH).from).toBeLessThan(10);
  });

  it("has room where nothing has happened yet", () => {
    expect(span(whole(0))).toBeGreaterThan(0);
  });
});
