import { expect, it } from "vitest";
import type { TaskFigures } from "~/data/flow";
import { flakiest, ranOf, slowest } from "./task-order";

function task(name: string, change: Partial<TaskFigures>): TaskFigures {
  return {
    task: name,
    runs: 10,
    flow_runs: 5,
    p50: 1,
    p95: 2,
    seconds: 10,
    share: 0.1,
    failures: 0,
    retried: 0,
    retries: 0,
    cached: 0,
    ...change,
  };
}

const names = (tasks: TaskFigures[]) => tasks.map((one) => one.task);

it("has the task first that takes the most time, and none that takes none", () => {
  const tasks = [task("a", { seconds: 1 }), task("b", { seconds: 9 }), task("c", { seconds: 0 })];

  expect(names(slowest(tasks))).toEqual(["b", "a"]);
});

it("calls flaky what fails or is tried again, by how often it does of the times it ran", () => {
  const tasks = [
    task("steady", {}),
    task("seldom", { failures: 1 }),
    task("mostly cached", { failures: 1, cached: 8 }),
    task("retried", { retried: 3, retries: 9 }),
  ];

  expect(names(flakiest(tasks))).toEqual(["mostly cached", "retried", "seldom"]);
});

it("does not count a cached result as a run", () => {
  expect(ranOf(task("a", { runs: 10, cached: 4 }))).toBe(6);
});
