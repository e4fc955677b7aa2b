/** How long a new key counts. */

const DAY = 86_400;

export const EXPIRIES = [
  [String(7 * DAY), "7 days"],
  [String(30 * DAY), "30 days"],
  [String(90 * DAY), "90 days"],
  [String(365 * DAY), "a year"],
  ["0", "for ever"],
] as const;

export const USUAL = String(90 * DAY);

/** Whether a key that ends at a time, told as RFC 3339, is worth nothing any more at `now`, in Unix seconds. */
export function hasExpired(expires: string | null, now: number): boolean {
  return expires !== null && Date.parse(expires) / 1000 <= now;
}

/** What programs are told so that they work with a server: two lines for a shell. */
export function linesFor(url: string, key: string): string {
  return `export NADI_API_URL=${url}\nexport NADI_API_KEY=${key}`;
}
