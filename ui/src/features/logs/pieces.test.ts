import { describe, expect, it } from "vitest";
import { INK, contrast, groundColour, paletteColour, textColour } from "./colours";
import type { Rgb } from "./colours";
import { cutText } from "./cut-text";
import { sinceText, textOf } from "./line-text";
import { piecesOf } from "./pieces";
import { plainText } from "./plain-text";

function texts(told: string, query = ""): string[] {
  return piecesOf(told, query).map((piece) => piece.text);
}

describe("the pieces of a line", () => {
  it("are one for a text without anything in it, markup included", () => {
    expect(piecesOf("<b>a & b</b>")).toEqual([{ text: "<b>a & b</b>" }]);
    expect(piecesOf("")).toEqual([]);
  });

  it("have the colours and looks of escape sequences", () => {
    expect(piecesOf("a \u001b[1;31mred\u001b[0m b")).toEqual([
      { text: "a " },
      { text: "red", look: { text: "red", bold: true } },
      { text: " b" },
    ]);
    expect(piecesOf("\u001b[90mdim\u001b[39m\u001b[4mline\u001b[0m")).toEqual([
      { text: "dim", look: { text: "grey" } },
      { text: "line", look: { underline: true } },
    ]);
  });

  it("draw text on a coloured ground in ink, reversed colours too", () => {
    expect(piecesOf("\u001b[41;97mx\u001b[0m")[0]!.look).toEqual({ ground: "red" });
    expect(piecesOf("\u001b[7;32mx\u001b[0m")[0]!.look?.ground).toBe("green");
    expect(piecesOf("\u001b[7mx\u001b[0m")[0]!.look?.ground).toBe("white");
  });

  it("have any of 256 and of all colours, for light and dark", () => {
    expect(piecesOf("\u001b[38;5;208mx")[0]!.look?.text).toEqual(textColour([255, 135, 0]));
    expect(piecesOf("\u001b[38;2;1;2;3mx")[0]!.look?.text).toEqual(textColour([1, 2, 3]));
    expect(piecesOf("\u001b[48;2;1;2;3mx")[0]!.look?.ground).toEqual(groundColour([1, 2, 3]));
  });

  it("leave out what moves a cursor, names a window or links in a terminal", () => {
    expect(texts("a\u001b[2K\u001b[1Gb\u001b]0;title\u0007c\u001b]8;;http://x\u001b\\d")).toEqual(["abcd"]);
    expect(plainText("a\u001b[31mb\u001b[?25lc\r\nd")).toBe("abc\nd");
  });

  it("show what cannot be seen by a sign with its name", () => {
    expect(piecesOf("a\u0000b\u202ec\td\ne")).toEqual([
      { text: "a" },
      { text: "NUL", control: "U+0000 NUL" },
      { text: "b" },
      { text: "U+202E", control: "U+202E right-to-left override" },
      { text: "c\td\ne" },
    ]);
    expect(texts("👩‍🚀 שלום")).toEqual(["👩‍🚀 שלום"]);
  });

  it("lead to http and https and nowhere else", () => {
    const links = (told: string) => piecesOf(told).flatMap((piece) => piece.href ?? []);

    expect(links("see https://a.b/c?d=1&e=2, or (http://x.y/z_(1)).")).toEqual([
      "https://a.b/c?d=1&e=2",
      "http://x.y/z_(1)",
    ]);
    expect(links("javascript:alert(1) ftp://x data:text/html,x https:// xhttp://y.z")).toEqual([]);
    expect(links('"https://a.b"<script>')).toEqual(["https://a.b"]);
  });

  it("mark what was searched for, in any case, also across colours and in links", () => {
    expect(piecesOf("Find fInd", "find").filter((piece) => piece.isMatch)).toHaveLength(2);
    expect(piecesOf("a.b axb", "a.b").map((piece) => [piece.text, piece.isMatch])).toEqual([
      ["a.b", true],
      [" axb", undefined],
    ]);
    const across = piecesOf("\u001b[31mre\u001b[0md https://re.d", "red");
    expect(across.filter((piece) => piece.isMatch).map((piece) => piece.text)).toEqual(["re", "d"]);
  });
});

describe("colours of terminals", () => {
  const some: Rgb[] = Array.from({ length: 240 }, (_, n) => paletteColour(n + 16));

  it("are readable as text on light and dark", () => {
    for (const colour of some) {
      const { light, dark } = textColour(colour);
      expect(contrast(light, [255, 255, 255])).toBeGreaterThanOrEqual(4.5);
      expect(contrast(dark, [21, 27, 34])).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("are readable behind text", () => {
    for (const colour of some) {
      const { light, dark } = groundColour(colour);
      expect(contrast(light, INK.light)).toBeGreaterThanOrEqual(4.5);
      expect(contrast(dark, INK.dark)).toBeGreaterThanOrEqual(4.5);
    }
  });
});

describe("a text that is too long", () => {
  it("is cut where a line of it is too wide or too many lines follow, and says what is left out", () => {
    expect(cutText("x".repeat(1_000)).characters).toBe(0);
    expect(cutText("x".repeat(1_500))).toEqual({ text: "x".repeat(1_000), characters: 500, lines: 0 });
    expect(cutText(`short\n${"x".repeat(1_500)}\nlast`)).toEqual({
      text: `short\n${"x".repeat(1_000)}`,
      characters: 505,
      lines: 1,
    });
    const many = cutText(`${"a".repeat(20)}\n`.repeat(100));
    expect([many.text.split("\n").length, many.lines]).toEqual([60, 40]);
    expect(cutText(`${"a".repeat(50)}\n`.repeat(50)).characters).toBe(0);
    expect(cutText("x".repeat(9_000), true).text).toHaveLength(9_000);
  });

  it("is torn neither within a character nor within an escape sequence", () => {
    expect(cutText(`${"x".repeat(999)}🦊${"y".repeat(600)}`).text).toBe("x".repeat(999));
    expect(cutText(`${"x".repeat(997)}\u001b[31mred${"y".repeat(600)}`).text).toBe("x".repeat(997));
  });
});

describe("lines as text", () => {
  it("say how long after the beginning they were", () => {
    expect([0.0124, 62.345, 7262.001, -0.5].map(sinceText)).toEqual(["+0.012", "+1:02.345", "+2:01:02.001", "-0.500"]);
  });

  it("are saved with their time in UTC, level and task, and without colours", () => {
    const line = { number: 1, at: 1, level: "INFO", run: "", task: "t", logger: "", text: "\u001b[31mhi\u001b[0m\n" };

    expect(textOf(line, "load-0")).toBe("1970-01-01T00:00:01.000Z INFO     load-0: hi\n");
  });
});
