/** What the timeline asks the server for, beside the task runs themselves. */

import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import type { AllTried, Piece, Tried } from "~/graph/timeline/model";
import type { RunAttempt } from "~/graph/timeline/scene";
import { secondsOf } from "~/lib/times";

/** Attempts of one request, and subflow runs of one. */
const PAGE = 5_000;
const FLOWS_PAGE = 200;
/** Subflow runs that are shown: those that were made first. */
export const MOST_FLOWS = 1_000;

type Told = [task: string, attempt: number, state: string, name: string, started: number, ended: number, says: string];

/** Every earlier attempt of the task runs of a run. */
export async function readTried(run: string, signal: AbortSignal): Promise<AllTried> {
  const found = new Map<string, Tried[]>();
  let after = "";
  do {
    const page = await answered(
      api.GET("/api/flow-runs/{run}/task-attempts", {
        params: { path: { run }, query: { after, limit: PAGE } },
        signal,
      }),
    );
    for (const [task, attempt, state, stateName, started, ended, message] of page.attempts as unknown as Told[]) {
      const one = { attempt, state, stateName, started, ended, message };
      const known = found.get(task);
      if (known) known.push(one);
      else found.set(task, [one]);
    }
    after = page.next;
  } while (after);
  return found;
}

export function pieceOfFlow(run: Shapes["RunShape"]): Piece {
  return {
    id: run.id,
    name: run.name,
    run: run.parent ?? "",
    task: run.flow,
    isFlow: true,
    state: run.state,
    stateName: run.state_name,
    created: secondsOf(run.created),
    started: secondsOf(run.started),
    ended: secondsOf(run.ended),
    attempt: run.attempt,
    upstream: [],
    due: 0,
    reason: "",
    message: run.message,
  };
}

/** The runs below the outermost run of a run. */
export async function readFlows(run: string, signal: AbortSignal): Promise<Piece[]> {
  const found: Piece[] = [];
  let after = "";
  do {
    const page = await answered(
      api.GET("/api/flow-runs/{run}/subflows", {
        params: { path: { run }, query: { after, limit: FLOWS_PAGE } },
        signal,
      }),
    );
    found.push(...page.runs.map(pieceOfFlow));
    after = page.next;
  } while (after && found.length < MOST_FLOWS);
  return found;
}

/** When each attempt of a run began. */
export async function readRunAttempts(run: string, signal: AbortSignal): Promise<RunAttempt[]> {
  const told = await answered(api.GET("/api/flow-runs/{run}/attempts", { params: { path: { run } }, signal }));
  return told.map((one) => ({ attempt: one.attempt, started: secondsOf(one.started) })).filter((one) => one.started);
}
