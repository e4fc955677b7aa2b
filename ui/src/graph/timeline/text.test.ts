import { expect, test } from "vitest";
import { fitting, plainText } from "./text";

/** A canvas on which each letter is ten pixels wide. */
const draw = {
  font: "x",
  measureText: (text: string) => ({ width: [...text].length * 10 }),
} as CanvasRenderingContext2D;
const cut = (text: string, room: number) => fitting(draw, text, room).replace(/[\u2068\u2069]/g, "");

test("a text that fits stands as it is, and of one that does not its beginning", () => {
  expect(cut("evaluate", 80)).toBe("evaluate");
  expect(cut("evaluate", 50)).toBe("eval…");
  expect(cut("evaluate", 5)).toBe("");
  expect(cut("evaluate", -5)).toBe("");
});

test("the number at the end of a name stays, since names of many runs differ in it", () => {
  expect(cut("download-11", 80)).toBe("down…-11");
});

test("what would turn or break the line is not drawn, and nothing of a text that nobody sees is kept", () => {
  expect(plainText("a\u202eb\u0000c\nd")).toBe("a b c d");
  expect(plainText("x".repeat(10_000)).length).toBeLessThan(200);
  expect(cut("x".repeat(10_000), 40)).toBe("xxx…");
});

test("the direction of a text is its own", () => {
  expect(fitting(draw, "שלום", 100)).toBe("\u2068שלום\u2069");
});
