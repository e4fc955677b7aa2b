/** The text of a line in pieces of one look each: colours, links, what was searched for, and what cannot be seen. */

import Anser from "anser";
import { groundColour, paletteColour, textColour } from "./colours";
import type { Both, Rgb } from "./colours";
import { withoutCommands } from "./plain-text";

/** One of the colours of terminals by its name, or any other one. */
export type Ink = string | Both;

export interface Look {
  text?: Ink;
  ground?: Ink;
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
  struck?: boolean;
}

export interface Piece {
  text: string;
  look?: Look;
  /** Where it leads: always http or https. */
  href?: string;
  isMatch?: boolean;
  /** What stands here cannot be seen; `text` is a sign for it, and this its name. */
  control?: string;
}

interface Range {
  from: number;
  to: number;
}

/** Cut a text into pieces. `query` is what was searched for, in any case of letters. */
export function piecesOf(told: string, query = ""): Piece[] {
  const styled = styledOf(told);
  const text = styled.map((run) => run.text).join("");
  const links = linksIn(text);
  const matches = matchesIn(text, query);
  const pieces: Piece[] = [];
  let at = 0;
  for (const { text: part, look } of styled) {
    const end = at + part.length;
    for (const [from, to] of between(at, end, [...links, ...matches])) {
      const link = links.find((range) => range.from <= from && to <= range.to);
      const isMatch = matches.some((range) => range.from <= from && to <= range.to);
      for (const piece of withControls(text.slice(from, to))) {
        pieces.push({
          ...piece,
          ...(look && { look }),
          ...(link && { href: text.slice(link.from, link.to) }),
          ...(isMatch && { isMatch }),
        });
      }
    }
    at = end;
  }
  return pieces;
}

/** The ranges between `from` and `to` whose ends are those of the given ones. */
function between(from: number, to: number, ranges: Range[]): [number, number][] {
  const cuts = new Set([from, to]);
  for (const range of ranges) {
    if (range.from > from && range.from < to) cuts.add(range.from);
    if (range.to > from && range.to < to) cuts.add(range.to);
  }
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.slice(1).map((cut, n) => [sorted[n]!, cut]);
}

function styledOf(told: string): { text: string; look?: Look }[] {
  const clean = withoutCommands(told);
  if (!clean.includes("\u001b[")) return [{ text: clean }];
  return Anser.ansiToJson(clean, { use_classes: true, remove_empty: true, json: true }).map((entry) => {
    const look = lookOf(entry);
    return { text: entry.content, ...(Object.keys(look).length && { look }) };
  });
}

function lookOf(entry: Anser.AnserJsonEntry): Look {
  const has = new Set(entry.decorations);
  const [text, ground] = has.has("reverse") ? [entry.bg, entry.fg] : [entry.fg, entry.bg];
  const [textTrue, groundTrue] = has.has("reverse")
    ? [entry.bg_truecolor, entry.fg_truecolor]
    : [entry.fg_truecolor, entry.bg_truecolor];
  const look: Look = {};
  // On a coloured ground text is drawn in ink: two colours of a terminal need not be readable on each other here.
  const behind = inkOf(ground, groundTrue, groundColour) ?? (has.has("reverse") ? "white" : undefined);
  const before = inkOf(text, textTrue, textColour);
  if (behind) look.ground = behind;
  else if (before) look.text = before;
  if (has.has("bold")) look.bold = true;
  if (has.has("dim") || has.has("hidden")) look.dim = true;
  if (has.has("italic")) look.italic = true;
  if (has.has("underline")) look.underline = true;
  if (has.has("strikethrough")) look.struck = true;
  return look;
}

/** From the names that anser has: "ansi-red", "ansi-bright-red", "ansi-palette-208", "ansi-truecolor". */
function inkOf(name: string | null, truecolour: string | null, fitted: (colour: Rgb) => Both): Ink | undefined {
  if (!name) return undefined;
  const palette = /^ansi-palette-(\d+)$/.exec(name);
  if (palette) return fitted(paletteColour(Number(palette[1])));
  if (name === "ansi-truecolor") {
    const parts = (truecolour ?? "").split(",").map(Number);
    return parts.length === 3 && parts.every((part) => part >= 0 && part <= 255)
      ? fitted(parts as unknown as Rgb)
      : undefined;
  }
  return name === "ansi-bright-black" ? "grey" : name.replace(/^ansi-(bright-)?/, "");
}

// oxlint-disable-next-line no-control-regex -- a link ends before them
const LINK = /\bhttps?:\/\/[^\s<>"'`\\\u0000-\u001f\u007f-\u009f\u200b-\u206f]+/gi;
/** What follows a link in a sentence and is not of it. */
const AFTER_LINK = /[.,;:!?'"*_\])}>]+$/;

export function linksIn(text: string): Range[] {
  if (!/https?:\/\//i.test(text)) return [];
  const found: Range[] = [];
  for (const { 0: whole, index } of text.matchAll(LINK)) {
    let link = whole.replace(AFTER_LINK, "");
    if (whole[link.length] === ")" && link.includes("(")) link += ")";
    if (URL.canParse(link)) found.push({ from: index, to: index + link.length });
  }
  return found;
}

/** Where a text was found; of a text with very many of them, the first. */
export function matchesIn(text: string, query: string): Range[] {
  if (!query) return [];
  const wanted = new RegExp(query.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&"), "gi");
  const found: Range[] = [];
  for (const { 0: match, index } of text.matchAll(wanted)) {
    found.push({ from: index, to: index + match.length });
    if (found.length === 1_000) break;
  }
  return found;
}

/** What is not seen, or changes how all after it is seen. Not those that writing needs, such as joiners. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** What each of the first is called; most fonts have no signs for them. */
const SHORT =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US";
const CONTROLS = SHORT.split(" ");
const NAMES: Record<number, string> = {
  0x200b: "zero width space",
  0x202a: "left-to-right embedding",
  0x202b: "right-to-left embedding",
  0x202c: "pop directional formatting",
  0x202d: "left-to-right override",
  0x202e: "right-to-left override",
  0xfeff: "byte order mark",
};

function withControls(text: string): Pick<Piece, "text" | "control">[] {
  const pieces: Pick<Piece, "text" | "control">[] = [];
  let at = 0;
  for (const { 0: sign, index } of text.matchAll(UNSEEN)) {
    if (index > at) pieces.push({ text: text.slice(at, index) });
    pieces.push(signOf(sign.charCodeAt(0)));
    at = index + 1;
  }
  if (at < text.length || !pieces.length) pieces.push({ text: text.slice(at) });
  return pieces;
}

function signOf(code: number): { text: string; control: string } {
  const point = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  const text = code === 0x7f ? "DEL" : (CONTROLS[code] ?? point);
  const name = NAMES[code] ?? (text === point ? "" : text);
  return { text, control: name ? `${point} ${name}` : point };
}
