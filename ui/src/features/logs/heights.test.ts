import { describe, expect, it } from "vitest";
import { Heights, ROW, rowsOf } from "./heights";
import type { Line } from "./lines";

function line(number: number, text: string): Line {
  return { number, at: 0, level: "INFO", run: "", task: "", logger: "", text };
}

const none = new Set<number>();

describe("the heights of lines", () => {
  it("are estimated from what is shown of them", () => {
    expect(rowsOf(line(1, "short"), { columns: 80, opened: none })).toBe(1);
    expect(rowsOf(line(1, "x".repeat(200)), { columns: 80, opened: none })).toBe(3);
    expect(rowsOf(line(1, "x".repeat(200)), { columns: 0, opened: none })).toBe(1);
    expect(rowsOf(line(1, "a\n\u001b[31mb\u001b[0m\n"), { columns: 2, opened: none })).toBe(2);
    expect(rowsOf(line(1, "x".repeat(9_000)), { columns: 100, opened: none })).toBe(10);
    expect(rowsOf(line(1, "x".repeat(9_000)), { columns: 100, opened: new Set([1]) })).toBe(90);
  });

  it("say where each line lies, and which line lies where", () => {
    const heights = new Heights({ columns: 0, opened: none });

    heights.lay([line(1, "a"), line(2, "b\nc\nd"), line(3, "e")]);

    expect([0, 1, 2, 3].map((index) => heights.top(index))).toEqual([0, ROW, 4 * ROW, 5 * ROW]);
    expect([0, 19, 20, 79, 80, 500].map((pixels) => heights.at(pixels))).toEqual([0, 0, 1, 1, 2, 2]);
    expect(heights.total).toBe(5 * ROW);
  });

  it("are those that were measured, until lines are drawn in another way", () => {
    const heights = new Heights({ columns: 80, opened: none });
    const lines = [line(1, "a"), line(2, "b")];

    expect(heights.measure(lines[0]!, ROW)).toBe(false);
    expect(heights.measure(lines[0]!, 3 * ROW)).toBe(true);
    heights.lay(lines);
    expect(heights.top(1)).toBe(3 * ROW);

    heights.reshape({ columns: 0, opened: none });
    heights.lay(lines);
    expect(heights.top(1)).toBe(ROW);
  });
});
