import { expect, test } from "vitest";
import type { Run } from "~/data/run-list";
import { parameterNames, tagsOf } from "./suggestions";
import { messageOf, parametersTold, tasksDone } from "./words";

const run = (more: Partial<Run>) => ({ state: "FAILED", tags: [], tasks: {}, parameters: {}, ...more }) as Run;

test("parameters are told short, without those that are null", () => {
  const told = parametersTold(run({ parameters: { rows: 500, depths: [1, 2], none: null, source: "lake" } as never }));

  expect(told).toBe("rows=500  depths=[1,2]  source=lake");
  expect(parametersTold(run({ parameters: { text: "x".repeat(10_000) } as never })).length).toBeLessThan(60);
  expect(parametersTold(run({ parameters: null as never }))).toBe("");
});

test("what a completed run says is not worth a look", () => {
  expect(messageOf(run({ state: "COMPLETED", message: "All is well." }))).toBe("");
  expect(messageOf(run({ message: "No price." }))).toBe("No price.");
});

test("of its task runs those that completed are done", () => {
  expect(tasksDone(run({ tasks: { completed: 11, failed: 2, running: 5 } }))).toEqual({ done: 11, all: 18 });
  expect(tasksDone(run({}))).toBeUndefined();
});

test("what most runs have is offered first", () => {
  const runs = [run({ tags: ["b"] }), run({ tags: ["a", "b"] }), run({ parameters: { rows: 1 } as never })];

  expect(tagsOf(runs)).toEqual(["b", "a"]);
  expect(parameterNames(runs)).toEqual(["rows"]);
});
