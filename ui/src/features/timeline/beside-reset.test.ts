// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}
import { expect, test, vi } from "vitest";
import type { RunData } from "~/data/run";
import { living, seen, useServer } from "~/data/server.fixture";
import { TaskTable } from "~/data/tasks";
import { tell } from "~/lib/live.fixture";
import { createFlows, createRunAttempts, createTried } from "./beside";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

const server = useServer();
const table = new TaskTable();
const data = {
  id: () => "a",
  run: () => ({ id: "a", root: "a", attempt: 2, started: "2026-11-23T18:00:00Z" }),
  tasks: () => table,
  tasksRead: () => true,
} as unknown as RunData;
const sub = (id: string, state: string) => ({ id, root: "a", parent: "a", state, state_name: state });

test("after a reset subflows are those that are read then, whatever was told before", async () => {
  const path = "/api/flow-runs/a/subflows";
  server.answers.set(path, { runs: [sub("b", "RUNNING"), sub("c", "RUNNING")], next: "" });
  const { value: made } = living(() => createFlows(data));
  await seen(() => expect(made.flows()).toHaveLength(2));
  tell("flow-runs", [sub("b", "COMPLETED"), sub("d", "RUNNING")]);

  server.answers.set(path, { runs: [sub("b", "PAUSED")], next: "" });
  tell("reset");

  await seen(() => expect(made.flows()).toMatchObject([{ id: "b", state: "PAUSED" }]));
});

test("after a reset attempts are read anew, those of the run and those of its tasks", async () => {
  server.answers.set("/api/flow-runs/a/attempts", [{ attempt: 1, started: "2026-11-23T18:00:00Z" }]);
  server.answers.set("/api/flow-runs/a/task-attempts", { attempts: [], next: "" });
  const { value: attempts } = living(() => [createRunAttempts(data), createTried(data)] as const);
  await seen(() => expect(attempts[0]()).toHaveLength(1));
  const before = server.times("/task-attempts");

  server.answers.set("/api/flow-runs/a/attempts", []);
  tell("reset");

  await seen(() => expect(attempts[0]()).toHaveLength(0));
  await seen(() => expect(server.times("/task-attempts")).toBe(before + 1));
});
