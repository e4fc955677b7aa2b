// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}
import { createMemo } from "solid-js";
import { expect, test, vi } from "vitest";
import { living, seen, useServer } from "~/data/server.fixture";
import { tell } from "~/lib/live.fixture";
import { createCompared } from "./compared";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

const server = useServer();
const bar = (id: string, change: number) => [id, id, "a", "COMPLETED", "Completed", 1, 1, 2, id, -1, 1, [], 0, "", "", change]; // prettier-ignore

test("after a reset a run that is compared is what is read then, with the task runs that there are", async () => {
  server.answers.set("/api/flow-runs/a/metrics", { series: [], after: 0, more: false });
  server.answers.set("/api/flow-runs/a/artifacts", { artifacts: [], next: "" });
  server.answers.set("/api/flow-runs/a", { id: "a", name: "before", state: "COMPLETED", change: 900 });
  server.answers.set("/api/flow-runs/a/timeline", { bars: [bar("load", 880), bar("fit", 890)], next: "" });
  const { value: runs } = living(() => createMemo(createCompared(() => ["a"])));
  const one = () => runs()[0]!;
  await seen(() => expect([...(one().took()?.keys() ?? [])]).toEqual(["fit", "load"]));

  server.answers.set("/api/flow-runs/a", { id: "a", name: "after", state: "COMPLETED", change: 40 });
  server.answers.set("/api/flow-runs/a/timeline", { bars: [bar("load", 38)], next: "" });
  tell("reset");

  await seen(() => expect(one().run()?.name).toBe("after"));
  await seen(() => expect([...(one().took()?.keys() ?? [])]).toEqual(["load"]));
});
