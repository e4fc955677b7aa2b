/** What a timeline shows: pieces of work, and what became of each of their attempts. */

/** A task run or a subflow run. Times are Unix seconds, 0 for "not yet". */
export interface Piece {
  id: string;
  name: string;
  /** The flow run that called it. */
  run: string;
  /** The task, or the flow of a subflow run. */
  task: string;
  isFlow?: boolean;
  state: string;
  stateName: string;
  created: number;
  started: number;
  ended: number;
  attempt: number;
  upstream: readonly string[];
  /** When it is to go on; 0 for none. */
  due: number;
  reason: string;
  message: string;
}

/** An attempt before the newest one; or the one that failed, while the next one is awaited. */
export interface Tried {
  attempt: number;
  state: string;
  stateName: string;
  started: number;
  ended: number;
  message: string;
}

/** By id of a task run: its earlier attempts, first one first. */
export type AllTried = ReadonlyMap<string, readonly Tried[]>;

export const NOTHING_TRIED: AllTried = new Map();

/**
 * A stretch of time of one piece. "wait": it was accepted and had not begun. "retry": an attempt was over, and the next
 * had not begun. "run": an attempt.
 */
export interface Segment {
  kind: "wait" | "retry" | "run";
  from: number;
  to: number;
  attempt: number;
  state: string;
  stateName: string;
  message: string;
}

/** Whether the newest attempt is one of those that were tried: it failed, and the next one is awaited. */
export function awaitsRetry(piece: Piece, tried: readonly Tried[]): boolean {
  return !piece.ended && tried.at(-1)?.attempt === piece.attempt;
}

/** When the first attempt began; when it was accepted, where none has. */
export function beginOf(piece: Piece, tried: readonly Tried[] | undefined): number {
  return tried?.[0]?.started || piece.started || piece.created;
}

/** The attempts of a piece that have begun, first one first. */
export function attemptsOf(piece: Piece, tried: readonly Tried[] = []): Tried[] {
  const begun = tried.filter((one) => one.started);
  if (piece.started && !awaitsRetry(piece, tried)) begun.push(piece);
  return begun;
}

/** Everything that a piece went through, in the order of time, up to `now`. */
export function segmentsOf(piece: Piece, tried: readonly Tried[] | undefined, now: number): Segment[] {
  const segments: Segment[] = [];
  let since = piece.created;
  for (const one of attemptsOf(piece, tried)) {
    const kind = segments.length ? "retry" : "wait";
    if (one.started > since) segments.push(waiting(piece, kind, since, one.started));
    const to = Math.max(one.started, one.ended || now);
    const { attempt, state, stateName, message } = one;
    segments.push({ kind: "run", from: one.started, to, attempt, state, stateName, message });
    since = to;
  }
  const isOver = piece.ended > 0;
  const isRunning = piece.started > 0 && !isOver && !awaitsRetry(piece, tried ?? []);
  if (isRunning || (isOver && piece.started)) return segments;
  // What ended without having begun has waited until then.
  const until = isOver ? piece.ended : now;
  if (until > since) segments.push(waiting(piece, segments.length ? "retry" : "wait", since, until));
  return segments;
}

function waiting(piece: Piece, kind: "wait" | "retry", from: number, to: number): Segment {
  return { kind, from, to, attempt: piece.attempt, state: piece.state, stateName: piece.stateName, message: "" };
}

/** Whether nothing ran because the outcome was there already. */
export function isReused(piece: Piece): boolean {
  return piece.stateName === "Cached";
}
