/** Colours that terminals know, as this page has them: readable on light and on dark. */

export type Rgb = readonly [number, number, number];

/** For the light page and for the dark one. */
export interface Both {
  light: Rgb;
  dark: Rgb;
}

/** What lines are drawn on: --raised of tokens.css. */
const PAPER: Both = { light: [255, 255, 255], dark: [21, 27, 34] };
/** What text on a coloured ground is drawn in: --ink. */
export const INK: Both = { light: [20, 33, 43], dark: [227, 233, 238] };
const ENOUGH = 4.6;

function luminance([r, g, b]: Rgb): number {
  const [x, y, z] = [r, g, b].map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}

/** How well one is read on the other, as WCAG has it: 1 to 21. */
export function contrast(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function mixed(one: Rgb, other: Rgb, share: number): Rgb {
  return one.map((part, n) => Math.round(part + (other[n]! - part) * share)) as unknown as Rgb;
}

/** The first of ever paler or darker kinds of a colour that goes well with another one. */
function towards(colour: Rgb, goal: Rgb, beside: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.05) {
    const found = mixed(colour, goal, share);
    if (contrast(found, beside) >= ENOUGH) return found;
  }
  return goal;
}

/** A colour for text: as it was told where that can be read, else darker or paler. */
export function textColour(colour: Rgb): Both {
  return { light: towards(colour, [0, 0, 0], PAPER.light), dark: towards(colour, [255, 255, 255], PAPER.dark) };
}

/** A colour for what lies behind text, which is drawn in `INK`. */
export function groundColour(colour: Rgb): Both {
  return {
    light: towards(mixed(colour, PAPER.light, 0.5), PAPER.light, INK.light),
    dark: towards(mixed(colour, PAPER.dark, 0.5), PAPER.dark, INK.dark),
  };
}

const STEPS = [0, 95, 135, 175, 215, 255];

/** One of the colours 16 to 255 that terminals have. */
export function paletteColour(index: number): Rgb {
  if (index >= 232) {
    const grey = 8 + 10 * (index - 232);
    return [grey, grey, grey];
  }
  const at = index - 16;
  return [STEPS[Math.floor(at / 36)]!, STEPS[Math.floor(at / 6) % 6]!, STEPS[at % 6]!];
}

export function css([r, g, b]: Rgb): string {
  return `rgb(${r} ${g} ${b})`;
}
