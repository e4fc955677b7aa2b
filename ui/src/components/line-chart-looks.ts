/** By what the lines of a chart are told apart: a colour and a dash each, so that none is known by its colour alone. */

/** Lines beyond these begin again: the colours of the first, with other dashes. */
const COLOURS = 8;
const DASHES: readonly (readonly number[])[] = [
  [],
  [7, 3],
  [2, 2.5],
  [9, 3, 2, 3],
  [13, 4],
  [4, 2, 1.5, 2, 1.5, 2],
  [5, 5],
  [12, 3, 2, 3, 2, 3],
];

export interface LineLook {
  /** Custom property of tokens.css. */
  colour: `--${string}`;
  /** Lengths of strokes and gaps in pixels; none for a line without gaps. */
  dash: readonly number[];
}

/** The look of the line at a place. The first one is plain. */
export function lineLook(place: number): LineLook {
  const round = Math.floor(place / COLOURS);
  return {
    colour: `--series-${(place % COLOURS) + 1}`,
    dash: DASHES[(place + round) % DASHES.length]!,
  };
}

/** The look of one of the lines of one of several: all of one have a colour, and all of a kind a dash. */
export function lookOfPair(one: number, kind: number): LineLook {
  return { colour: lineLook(one).colour, dash: DASHES[(kind + Math.floor(one / COLOURS)) % DASHES.length]! };
}
