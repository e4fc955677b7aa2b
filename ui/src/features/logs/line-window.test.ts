import { describe, expect, it } from "vitest";
import { EMPTY, aroundOf, covers, indexOf, newestOf, withEarlier, withLater } from "./line-window";
import type { LineWindow } from "./line-window";
import type { Line, Page } from "./lines";

function line(number: number): Line {
  return { number, at: number, level: "INFO", run: "r", task: "", logger: "", text: `line ${number}` };
}

function page(numbers: number[], told: Partial<Page> = {}): Page {
  return {
    lines: numbers.map(line),
    after: numbers.at(-1) ?? 0,
    before: null,
    more: false,
    first: 2,
    last: 90,
    ...told,
  };
}

function numbers(window: LineWindow): number[] {
  return window.lines.map((one) => one.number);
}

describe("the window on a log", () => {
  it("opens at the newest lines and knows where earlier ones are read on", () => {
    const window = newestOf(page([80, 85, 90], { before: 80, more: true }));

    expect(numbers(window)).toEqual([80, 85, 90]);
    expect([window.before, window.after, window.atEnd]).toEqual([80, 90, true]);
  });

  it("opens around a line, and reaches the end only where nothing comes after", () => {
    const earlier = page([10, 20], { before: 10, more: true });

    expect(numbers(aroundOf(earlier, page([30, 40], { more: true })))).toEqual([10, 20, 30, 40]);
    expect(aroundOf(earlier, page([30, 40], { more: true })).atEnd).toBe(false);
    expect(aroundOf(earlier, page([30, 40])).atEnd).toBe(true);
  });

  it("grows at both ends in order, and no line comes twice", () => {
    let window = newestOf(page([50, 60], { before: 50, more: true }));

    window = withEarlier(window, page([20, 40, 50], { before: 20, more: true }));
    window = withLater(window, page([60, 70]));
    window = withLater(window, page([70]));

    expect(numbers(window)).toEqual([20, 40, 50, 60, 70]);
    expect([window.before, window.after]).toEqual([20, 70]);
  });

  it("lets go of the newest lines when too many earlier ones came, and can read them again", () => {
    const window = withEarlier(newestOf(page([50, 60, 70], { before: 50 })), page([30, 40], { before: 30 }), 4);

    expect(numbers(window)).toEqual([30, 40, 50, 60]);
    expect([window.after, window.atEnd]).toEqual([60, false]);
  });

  it("lets go of the oldest lines when too many later ones came, and can read them again", () => {
    const window = withLater(newestOf(page([50, 60, 70])), page([80, 90]), 4);

    expect(numbers(window)).toEqual([60, 70, 80, 90]);
    expect([window.before, window.atEnd]).toEqual([60, true]);
  });

  it("moves on over lines that do not fit", () => {
    const window = withLater(newestOf(page([50])), page([], { after: 75, last: 75 }));

    expect([numbers(window), window.after]).toEqual([[50], 75]);
    expect(withEarlier(window, page([], { before: 12, more: true })).before).toBe(12);
  });

  it("finds where a number stands, or the next one after it", () => {
    const lines = [10, 20, 30].map(line);

    expect([5, 10, 11, 30, 31].map((number) => indexOf(lines, number))).toEqual([0, 0, 1, 2, 3]);
  });

  it("tells whether a place is loaded, also before the first and after the last line that there are", () => {
    const middle = { ...newestOf(page([10, 20], { before: 10 })), atEnd: false };

    expect([5, 10, 15, 20, 21].map((number) => covers(middle, number))).toEqual([false, true, true, true, false]);
    expect(covers({ ...middle, before: null, atEnd: true }, 5)).toBe(true);
    expect(covers({ ...middle, before: null, atEnd: true }, 99)).toBe(true);
    expect(covers(EMPTY, 7)).toBe(true);
  });
});
