/** Tasks in the order in which they deserve a look: those that take the time, and those that do not always work. */

import type { TaskFigures } from "~/data/flow";

/** Tasks that take time, those that take the most of it first. */
export function slowest(tasks: readonly TaskFigures[]): TaskFigures[] {
  return tasks.filter((task) => task.seconds > 0).sort((a, b) => b.seconds - a.seconds);
}

/** Tasks that failed or were tried again, those that did so most often first; of two alike, the one that failed more. */
export function flakiest(tasks: readonly TaskFigures[]): TaskFigures[] {
  return tasks
    .filter((task) => task.failures + task.retried > 0)
    .sort((a, b) => trouble(b) - trouble(a) || b.failures - a.failures);
}

/** Parts of its runs that failed or took more than one attempt. A run that did both counts twice: it is worse. */
function trouble(task: TaskFigures): number {
  return (task.failures + task.retried) / Math.max(1, ranOf(task));
}

/** How many of its runs ran: a cached result ran nothing. */
export function ranOf(task: TaskFigures): number {
  return task.runs - task.cached;
}
