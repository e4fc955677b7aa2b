/** Of very long texts only the beginning is shown, until somebody wants to see all. */

const CHARACTERS = 8_000;
const LINES = 60;
/** Characters of one line of it. */
const WIDE = 1_000;
const TOO_WIDE = new RegExp(`[^\\n]{${WIDE + 1}}`);

export interface Cut {
  text: string;
  /** Characters, and lines, that are left out; 0 where all is there. */
  characters: number;
  lines: number;
}

export function cutText(told: string, whole = false): Cut {
  // Newlines at the very end begin no line.
  const text = told.endsWith("\n") ? told.replace(/\n+$/, "") : told;
  if (whole || text.length <= WIDE) return { text, characters: 0, lines: 0 };
  const wide = TOO_WIDE.exec(text.slice(0, CHARACTERS));
  let end = wide ? wide.index + WIDE : Math.min(text.length, CHARACTERS);
  let line = -1;
  for (let n = 0; n < LINES; n++) {
    line = text.indexOf("\n", line + 1);
    if (line < 0) break;
  }
  if (line >= 0 && line < end) end = line;
  if (end >= text.length) return { text, characters: 0, lines: 0 };
  const shown = withoutTorn(text.slice(0, end));
  return { text: shown, characters: text.length - shown.length, lines: text.slice(end).split("\n").length - 1 };
}

/** Without half a character or half an escape sequence at its end. */
function withoutTorn(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  const whole = last >= 0xd800 && last <= 0xdbff ? text.slice(0, -1) : text;
  // oxlint-disable-next-line no-control-regex -- it is what escape sequences begin with
  return whole.replace(/\u001b(?:\[[0-9;:?]*)?$/, "");
}
