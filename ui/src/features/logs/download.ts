/** All lines as a file: read page by page, and handed to the browser piece by piece, so that memory stays small. */

import { readPage } from "./lines";
import type { Line, LineFilter } from "./lines";

/** Characters that are gathered before they are handed over as a blob, which the browser keeps where it likes. */
const PIECE = 2_000_000;

export interface Progress {
  lines: number;
  /** From 0 to 1. */
  share: number;
}

export async function gather(
  run: string,
  filter: LineFilter,
  write: (line: Line) => string,
  told: (progress: Progress) => void,
  signal: AbortSignal,
  read: typeof readPage = readPage,
): Promise<Blob> {
  const blobs: Blob[] = [];
  let text = "";
  let after = 0;
  let lines = 0;
  for (;;) {
    const page = await read(run, filter, { after, limit: 1_000 }, signal);
    for (const line of page.lines) text += write(line);
    lines += page.lines.length;
    if (text.length > PIECE) {
      blobs.push(new Blob([text]));
      text = "";
    }
    const span = page.last - page.first;
    told({ lines, share: !page.more || span <= 0 ? 1 : Math.max(0, Math.min(1, (page.after - page.first) / span)) });
    if (!page.more || page.after <= after) break;
    after = page.after;
  }
  return new Blob([...blobs, text], { type: "text/plain;charset=utf-8" });
}
