/** JSON as one writes it. */

/** What a text says, or what is wrong with it. */
export function parsedJson(text: string): { value: unknown } | { problem: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^JSON\.parse: /, "") : "";
    return { problem: `This is not JSON: ${why}. Text stands in double quotes.` };
  }
}

/** A value as JSON in one line, or over several where it may be long; cut to `most` characters. */
export function shownJson(value: unknown, most = Infinity): string {
  const text = JSON.stringify(value, null, most === Infinity ? 2 : 0) ?? "null";
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
