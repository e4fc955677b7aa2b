/** Which questions of a run are open. */

import type { Shapes } from "~/lib/http";

/** States in which an outermost run takes no answer any more. A crashed one does, and is continued with it. */
const OVER = new Set(["COMPLETED", "FAILED", "CANCELLED", "CANCELLING"]);

export function isAsking(
  pause: Pick<Shapes["PauseShape"], "is_open" | "deadline">,
  root: string,
  now = Date.now(),
): boolean {
  const isLate = pause.deadline !== null && Date.parse(pause.deadline) <= now;
  return pause.is_open && !isLate && !OVER.has(root);
}
