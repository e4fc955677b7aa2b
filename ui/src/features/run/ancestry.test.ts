// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}
import { expect, test, vi } from "vitest";
import type { FullRun } from "~/data/run";
import { living, seen, useServer } from "~/data/server.fixture";
import { tell } from "~/lib/live.fixture";
import { useAncestry } from "./ancestry";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

const server = useServer();
const ROOT = "/api/flow-runs/a";
const root = (change: number, state: string, more: object = {}) => ({ id: "a", parent: null, root: "a", change, state, ...more }); // prettier-ignore
const run = { id: "b", parent: "a", root: "a" } as FullRun;

function lineage() {
  return living(() => useAncestry(() => run)).value;
}

test("what is told while the runs above are read is looked up after that", async () => {
  server.answers.set(ROOT, root(1, "RUNNING"));
  const { root: found } = lineage();
  await seen(() => expect(found()?.state).toBe("RUNNING"));
  const go = server.hold(ROOT);
  tell("flow-runs", [root(2, "PAUSED")]);
  await seen(() => expect(server.times(ROOT)).toBe(2));

  server.answers.set(ROOT, root(3, "CRASHED", { detail: "killed" }));
  tell("flow-runs", [root(3, "CRASHED")]);
  go();

  await seen(() => expect(found()).toMatchObject({ state: "CRASHED", detail: "killed" }));
});

test("after a reset the outermost run is what is read then, also with a smaller change number", async () => {
  server.answers.set(ROOT, root(900, "RUNNING"));
  const { root: found } = lineage();
  await seen(() => expect(found()?.state).toBe("RUNNING"));
  tell("flow-runs", [root(901, "RUNNING", { name: "told" })]);

  server.answers.set(ROOT, root(40, "FAILED"));
  tell("reset");

  await seen(() => expect(found()?.state).toBe("FAILED"));
});
