/** JSON whose whole numbers stay as they were written, however large; those that JavaScript would round are BigInts. */

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

const exactly: Reviver = (_, value, context) =>
  typeof value === "number" &&
  Number.isInteger(value) &&
  !Number.isSafeInteger(value) &&
  /^-?\d+$/.test(context?.source ?? "")
    ? BigInt(context!.source!)
    : value;

export function parseExact(text: string): unknown {
  return JSON.parse(text, exactly);
}

/** As JSON again, BigInts among it. */
export function exactText(value: unknown, space?: number): string {
  // A text that no value has by chance, around digits that must lose their quotes.
  const mark = "\u0000exact\u0000";
  return (
    JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? `${mark}${one}${mark}` : one), space) ??
    "null"
  ).replace(/"\\u0000exact\\u0000(-?\d+)\\u0000exact\\u0000"/g, "$1");
}
