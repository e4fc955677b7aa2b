// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}
import { createSignal } from "solid-js";
import { expect, test, vi } from "vitest";
import { living, seen, useServer } from "~/data/server.fixture";
import { tell } from "~/lib/live.fixture";
import { createSubflows } from "./subflows";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

const server = useServer();
const sub = (id: string, change: number, state = "RUNNING", root = "a") => ({ id, root, parent: root, change, state });
const serve = (root: string, ...runs: object[]) =>
  server.answers.set(`/api/flow-runs/${root}/subflows`, { runs, next: "" });

const states = (rows: readonly { id: string; state: string }[]) => rows.map((row) => `${row.id} ${row.state}`);

test("what is told while subflow runs are read counts where it is newer", async () => {
  serve("a", sub("b", 5), sub("c", 6));
  const go = server.hold("/api/flow-runs/a/subflows");
  const { value: subflows } = living(() =>
    createSubflows(
      () => "a",
      () => 1,
    ),
  );
  await seen(() => expect(server.times("subflows")).toBe(1));

  tell("flow-runs", [sub("b", 4, "PENDING"), sub("c", 7, "FAILED"), sub("d", 8), sub("z", 9, "RUNNING", "other")]);
  go();
  await seen(() => expect(subflows.isRead()).toBe(true));

  expect(states(subflows.rows())).toEqual(["b RUNNING", "c FAILED", "d RUNNING"]);
});

test("after a reset they are those that are read then, also with smaller change numbers", async () => {
  serve("a", sub("b", 900), sub("c", 890));
  const { value: subflows } = living(() =>
    createSubflows(
      () => "a",
      () => 1,
    ),
  );
  await seen(() => expect(subflows.isRead()).toBe(true));
  tell("flow-runs", [sub("b", 901, "FAILED")]);

  serve("a", sub("b", 40));
  tell("reset");
  tell("flow-runs", [sub("b", 41, "PAUSED")]);
  const between = subflows.isRead();
  await seen(() => expect(states(subflows.rows())).toEqual(["b PAUSED"]));

  expect(between).toBe(true);
});

test("those of another outermost run are no part of it", async () => {
  const [root, setRoot] = createSignal("a");
  serve("a", sub("b", 1));
  serve("o", sub("p", 2, "RUNNING", "o"));
  const { value: subflows } = living(() => createSubflows(root, () => 1));
  await seen(() => expect(subflows.isRead()).toBe(true));
  tell("flow-runs", [sub("c", 3)]);

  setRoot("o");
  await seen(() => expect(subflows.isRead()).toBe(true));

  expect(states(subflows.rows())).toEqual(["p RUNNING"]);
});
