// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}
import { expect, test, vi } from "vitest";
import { living, seen, useServer } from "~/data/server.fixture";
import { tell } from "~/lib/live.fixture";
import { createWholeTable } from "./whole-table";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

const server = useServer();
const PATH = "/api/flow-runs/a/timeline";
const bar = (id: string, change: number, state = "RUNNING") => [id, id, "a", state, state, 1, 1, 0, "t", -1, 1, [], 0, "", "", change]; // prettier-ignore
const task = (id: string, change: number, state: string) => ({
  id,
  run: "a",
  change,
  state,
  upstream: [],
  message: "",
});

test("after a reset the task runs are those that are read then, also with smaller change numbers", async () => {
  server.answers.set(PATH, { bars: [bar("t1", 900), bar("t2", 890)], next: "" });
  const { value: whole } = living(() => createWholeTable(() => "a"));
  await seen(() => expect(whole.isRead()).toBe(true));
  tell("task-runs", [task("t1", 901, "COMPLETED")]);

  server.answers.set(PATH, { bars: [bar("t1", 40)], next: "" });
  tell("reset");
  const between = whole.isRead();
  await seen(() => expect(whole.isRead()).toBe(true));
  tell("task-runs", [task("t1", 41, "FAILED")]);

  expect(between).toBe(false);
  expect(whole.table().rows()).toMatchObject([{ id: "t1", state: "FAILED" }]);
});
