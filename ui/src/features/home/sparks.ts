/** When something happened, as a few bars: how often in each of equal parts of a time. */

/** Heights between 0 and 1, of which each that is not none is seen. Times are Unix seconds. */
export function sparksOf(times: readonly number[], from: number, to: number, parts: number): number[] {
  const counts = Array.from({ length: parts }, () => 0);
  for (const time of times) {
    const at = Math.floor(((time - from) / (to - from)) * parts);
    // What began within the time may have failed after it.
    counts[Math.max(0, Math.min(parts - 1, at))]! += 1;
  }
  const most = Math.max(1, ...counts);
  return counts.map((n) => (n ? Math.max(0.15, n / most) : 0));
}
