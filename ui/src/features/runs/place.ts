/** Where the list stood, for whoever comes back to it by the browser's "back". */

let left: { entry: string; top: number } | undefined;

/** What one is at, of the browser's history: its address, and how far along it is. Links lead further along. */
export function entryOf(address: string): string {
  const state = history.state as { _depth?: number } | null;
  return `${state?._depth ?? history.length} ${address}`;
}

export function leave(entry: string, top: number): void {
  left = { entry, top };
}

/** Pixels from the top; 0 for whoever comes by a link. */
export function cameBackTo(entry: string): number {
  return left?.entry === entry ? left.top : 0;
}
