/** Numbers as people read them. */

const grouped = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** "12,345". */
export function count(value: number): string {
  return grouped.format(value);
}

/** "12.3K", where there is little room. */
export function short(value: number): string {
  return value < 10_000 ? grouped.format(value) : compact.format(value);
}

/** "1 run", "1,200 runs". */
export function plural(value: number, noun: string, nouns = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : nouns}`;
}

/** "0 B", "12 kB", "3.4 MB". */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** "97 %"; never 100 where something is missing, nor 0 where something is there. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return "–";
  const exact = (100 * part) / whole;
  if (part < whole && exact > 99) return "99 %";
  if (part > 0 && exact < 1) return "1 %";
  return `${Math.round(exact)} %`;
}

/** A measured value, in as many digits as mean something. */
export function measured(value: number | null): string {
  if (value === null) return "not a number";
  if (value === 0 || Number.isInteger(value)) return grouped.format(value);
  const size = Math.abs(value);
  return size >= 1e6 || size < 1e-4 ? value.toExponential(3) : String(Number(value.toPrecision(5)));
}
