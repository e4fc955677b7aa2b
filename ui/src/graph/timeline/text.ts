/** Text on a canvas: as long as there is room for, and never in the way of what stands beside it. */

let family = "";

/** The font of the page, of a size in pixels. */
export function font(size: number, weight = 400): string {
  family ||= getComputedStyle(document.body).fontFamily || "sans-serif";
  return `${weight} ${size}px ${family}`;
}

/** Characters of a name that are looked at, at most: nobody sees more of it. */
const MOST = 160;
// Control characters are not drawn, and those of direction would turn what stands beside.
const NOT_DRAWN = /[\p{Cc}\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Told text as a canvas may have it: its direction is its own. */
export function plainText(text: string): string {
  const short = text.length > MOST ? `${text.slice(0, MOST)}…` : text;
  return short.replace(NOT_DRAWN, " ");
}

const widths = new Map<string, number>();

/** How wide text is; measured once for each font. */
export function widthOf(draw: CanvasRenderingContext2D, text: string): number {
  const key = `${draw.font} ${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > 5_000) widths.clear();
    width = draw.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}

const NUMBER_AT_END = /[-_ ]?\d{1,5}$/;
const cuts = new Map<string, string>();

/** As much of a text as there is room for, with an ellipsis where something is missing; "" where even that has none. */
export function fitting(draw: CanvasRenderingContext2D, text: string, room: number): string {
  const told = text.length > MOST ? text.slice(0, MOST + 1) : text;
  const key = `${draw.font} ${Math.floor(room)} ${told}`;
  let found = cuts.get(key);
  if (found === undefined) {
    if (cuts.size > 5_000) cuts.clear();
    found = cutTo(draw, plainText(told), room);
    cuts.set(key, found);
  }
  return found;
}

function cutTo(draw: CanvasRenderingContext2D, text: string, room: number): string {
  if (room <= 0) return "";
  if (draw.measureText(text).width <= room) return isolated(text);
  // Names of many runs differ in the number at their end: that stays.
  const end = NUMBER_AT_END.exec(text)?.[0] ?? "";
  const letters = Array.from(text.slice(0, text.length - end.length));
  let [low, high] = [0, letters.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (draw.measureText(`${letters.slice(0, middle).join("")}…${end}`).width <= room) low = middle;
    else high = middle - 1;
  }
  return low ? isolated(`${letters.slice(0, low).join("").trimEnd()}…${end}`) : "";
}

function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}
