/** Pieces of work for tests. */

import type { Piece, Tried } from "./model";

export function aPiece(told: Partial<Piece> = {}): Piece {
  return {
    id: "a",
    name: "load-0",
    run: "root",
    task: "load",
    state: "COMPLETED",
    stateName: "Completed",
    created: 0,
    started: 0,
    ended: 0,
    attempt: 1,
    upstream: [],
    due: 0,
    reason: "",
    message: "",
    ...told,
  };
}

/** A piece by its id and when it was accepted, began and ended. With 0 for both it has not begun. */
export function ran(id: string, started: number, ended: number, told: Partial<Piece> = {}): Piece {
  const state = ended ? "COMPLETED" : started ? "RUNNING" : "PENDING";
  return aPiece({ id, name: id, created: started, started: started || (ended && 1e-9), ended, state, ...told });
}

export function aTry(told: Partial<Tried> = {}): Tried {
  return { attempt: 1, state: "FAILED", stateName: "Failed", started: 1, ended: 2, message: "boom", ...told };
}
