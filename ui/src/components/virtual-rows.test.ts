import { describe, expect, test } from "vitest";
import { indexNear, leastWidth, rowsMoved, rowsSeen } from "./virtual-rows";

const key = (row: string) => row;
const letters = (text: string) => [...text];

describe("which rows are seen", () => {
  test("those in view and some beside them", () => {
    expect(rowsSeen(340, 100, 34, 1000, 2)).toEqual([8, 15]);
  });

  test("never more than there are", () => {
    expect(rowsSeen(0, 1000, 34, 5, 8)).toEqual([0, 5]);
    expect(rowsSeen(99_999, 500, 34, 5, 8)).toEqual([5, 5]);
    expect(rowsSeen(-20, 0, 34, 0, 8)).toEqual([0, 0]);
  });
});

describe("where a row stands now", () => {
  const rows = letters("abcdefgh");
  const at = (index: number) => rows[index]!;

  test.each([
    ["e", 0, 4],
    ["a", 7, 0],
    ["h", 3, 7],
    ["z", 3, -1],
    ["c", 99, 2],
  ])("%s, looked for from %i on, is at %i", (wanted, near, found) => {
    expect(indexNear(at, rows.length, wanted, near)).toBe(found);
  });

  test("nothing is found where nothing is", () => {
    expect(indexNear(at, 0, "a", 0)).toBe(-1);
  });
});

describe("how far a table goes on so that what one reads stays", () => {
  test("by the rows that came above it", () => {
    expect(rowsMoved(letters("cdef"), letters("abcdef"), key, 1)).toBe(2);
  });

  test("back by those that went", () => {
    expect(rowsMoved(letters("abcdef"), letters("cdef"), key, 3)).toBe(-2);
  });

  test("the row below counts where the one at the top went", () => {
    expect(rowsMoved(letters("abcdef"), letters("xabdef"), key, 2)).toBe(0);
  });

  test("not at all where nothing of it is there any more", () => {
    expect(rowsMoved(letters("abc"), letters("xyz"), key, 1)).toBe(0);
    expect(rowsMoved([], letters("xyz"), key, 0)).toBe(0);
  });
});

test("the least width is that of the columns, what is between them, and the edges", () => {
  expect(leastWidth(["90px", "minmax(110px, 2fr)", "1fr"], 12, 10)).toBe(90 + 110 + 2 * 12 + 2 * 10);
});
