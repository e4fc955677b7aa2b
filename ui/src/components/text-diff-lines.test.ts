import { expect, test } from "vitest";
import { diffLines, nearChanges } from "./text-diff-lines";

const told = (before: string, after: string) =>
  diffLines(before, after).map((line) => `${line.before && line.after ? " " : line.before ? "-" : "+"}${line.text}`);

test("lines that stay, that went and that came are told in order", () => {
  expect(told("a\nb\nc", "a\nx\nc\nd")).toEqual([" a", "-b", "+x", " c", "+d"]);
  expect(told("same\n", "same")).toEqual([" same"]);
  expect(told("", "new")).toEqual(["+new"]);
  expect(told("old", "")).toEqual(["-old"]);
});
test("lines keep their numbers in both texts", () => {
  expect(diffLines("a\nb\nz", "b\nz")).toEqual([
    { before: 1, after: 0, text: "a" },
    { before: 2, after: 1, text: "b" },
    { before: 3, after: 2, text: "z" },
  ]);
});
test("texts too long to compare are told to differ wholly between what they share", () => {
  const many = (word: string) => Array.from({ length: 3000 }, (_, n) => `${word}${n}`).join("\n");
  const lines = diffLines(`top\n${many("a")}\nend`, `top\n${many("b")}\nend`);
  expect(lines.length).toBe(6002);
  expect([lines[0]!.text, lines.at(-1)!.text]).toEqual(["top", "end"]);
});
test("what is far from changes is left out", () => {
  const text = Array.from({ length: 20 }, (_, n) => String(n)).join("\n");
  const shown = nearChanges(diffLines(text, text.replace("\n10\n", "\nten\n")), 1);
  expect(shown.map((line) => line?.text ?? "…")).toEqual(["…", "9", "10", "ten", "11", "…"]);
});
