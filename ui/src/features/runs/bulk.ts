/** What is done to many runs: to which of them it can be done, and doing it a few at a time. */

import type { Run } from "~/data/run-list";
import { isFinal } from "~/lib/state";

export const DEEDS = ["cancel", "resume", "delete"] as const;
export type Deed = (typeof DEEDS)[number];

/** Requests that are on their way at once. */
export const AT_ONCE = 4;

/** Whether something can be done to a run, as it is now. */
export function applies(deed: Deed, run: Run): boolean {
  if (deed === "cancel") return !isFinal(run.state) && run.state !== "CANCELLING";
  if (deed === "delete") return isFinal(run.state) && !run.parent;
  return run.state === "PAUSED" || (isFinal(run.state) && run.state !== "COMPLETED");
}

/** The runs to ask it for. A subflow run is cancelled and resumed with its outermost run, which is asked once. */
export function targets(deed: Deed, runs: readonly Run[]): Run[] {
  const found = new Map<string, Run>();
  for (const run of runs) if (applies(deed, run) && !found.has(run.root)) found.set(run.root, run);
  return [...found.values()];
}

export interface Refused<T> {
  item: T;
  why: string;
}

/** Do something to each, a few at a time. What is refused keeps nothing else from being done. */
export async function toEach<T>(
  items: readonly T[],
  act: (item: T) => Promise<unknown>,
  told: { onStep: (done: number) => void; isStopped: () => boolean },
): Promise<{ done: T[]; refused: Refused<T>[] }> {
  const [done, refused]: [T[], Refused<T>[]] = [[], []];
  const left = [...items];
  const one = async () => {
    for (let item = left.shift(); item !== undefined && !told.isStopped(); item = left.shift()) {
      try {
        await act(item);
        done.push(item);
      } catch (error) {
        refused.push({ item, why: error instanceof Error ? error.message : String(error) });
      }
      told.onStep(done.length + refused.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return { done, refused };
}

/** Refused ones by why, so that a hundred of one kind are one line. Ids and names in it make no difference. */
export function byReason(refused: readonly Refused<Run>[]): { why: string; runs: Run[] }[] {
  const found = new Map<string, { why: string; runs: Run[] }>();
  for (const { item, why } of refused) {
    const kind = why.replaceAll(item.name, "…").replaceAll(item.id, "…").replaceAll(/\d+/g, "#");
    const known = found.get(kind) ?? { why, runs: [] };
    known.runs.push(item);
    found.set(kind, known);
  }
  return [...found.values()];
}
