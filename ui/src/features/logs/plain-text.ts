/** Text without what only terminals understand. */

/* oxlint-disable no-control-regex -- control characters are what this is about */
/** Titles and links that a terminal is told of, and sequences that are not about colours. */
const COMMANDS = /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b\[[0-9;:<=>?]*[ -/]*[@-ln-~]|\u001b[()][0-9A-B]/g;
const COLOURS = /\u001b\[[0-9;:]*m/g;

/** Without sequences that do not colour: there is nothing here for a cursor to move in. */
export function withoutCommands(text: string): string {
  const clean = text.includes("\u001b") ? text.replace(COMMANDS, "") : text;
  return clean.includes("\r\n") ? clean.replaceAll("\r\n", "\n") : clean;
}

/** Without any escape sequence. */
export function plainText(text: string): string {
  const clean = withoutCommands(text);
  return clean.includes("\u001b") ? clean.replace(COLOURS, "") : clean;
}
