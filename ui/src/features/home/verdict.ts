/** The one sentence above all: whether all is well, and if not, what is not. */

import { plural } from "~/lib/numbers";
import type { Figures } from "./figures";

export interface Verdict {
  tone: "good" | "bad" | "waiting" | "quiet";
  text: string;
  /** More of it, in a part of a sentence each. */
  more: string[];
}

/** Runs that are not over. */
export interface OpenRuns {
  running: number;
  late: number;
  /** Whether more may be late than were looked at. */
  moreLate: boolean;
  /** Those that wait for a person. */
  asking: number;
}

/** What is to be said of a time. `when` is how that is called, such as "in the last 24 hours". */
export function verdictOf(figures: Figures, open: OpenRuns, when: string): Verdict {
  const { runs, failed, completed } = figures;
  const late = open.late
    ? [`${open.moreLate ? `${open.late}+ runs are` : plural(open.late, "run is", "runs are")} late`]
    : [];
  const asking = open.asking ? [`${plural(open.asking, "run waits", "runs wait")} for an answer`] : [];
  if (failed) {
    const rest = completed ? [`${plural(completed, "run")} completed`] : [];
    return { tone: "bad", text: `${plural(failed, "run")} failed ${when}`, more: [...late, ...asking, ...rest] };
  }
  const done = completed ? [`${plural(completed, "run")} completed ${when}, none failed`] : [];
  if (late.length || asking.length) {
    const [first, ...others] = [...late, ...asking];
    return { tone: "waiting", text: capital(first!), more: [...others, ...done] };
  }
  if (completed) return { tone: "good", text: "All is well", more: done };
  if (open.running) return { tone: "good", text: plural(open.running, "run is running", "runs are running"), more: [] };
  return { tone: "quiet", text: runs ? `Nothing has ended ${when}` : `Nothing ran ${when}`, more: [] };
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
