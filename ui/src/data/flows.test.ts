// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}
import { expect, test, vi } from "vitest";
import { tell } from "~/lib/live.fixture";
import { stateOf } from "./flow-list";
import { useFlows } from "./flows";
import { living, seen, useServer } from "./server.fixture";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

const server = useServer();
const serve = (state: string, change: number) =>
  server.answers.set("/api/flows", {
    flows: [{ name: "etl", newest: "1", runs: {}, seconds: {}, outcomes: [["1", state, state, 1, 1, 0, change]] }],
    next: "",
  });
const run = (state: string, change: number) => ({
  id: "1",
  flow: "etl",
  parent: null,
  state,
  state_name: state,
  change,
});

test("after a reset a flow's runs are as they are read then, also with smaller change numbers", async () => {
  serve("RUNNING", 900);
  const { value: list } = living(() =>
    useFlows(
      () => "",
      () => false,
    ),
  );
  const shown = () => list.flows().flatMap((flow) => flow.outcomes.map(stateOf));
  await seen(() => expect(shown()).toEqual(["RUNNING"]));
  tell("flow-runs", [run("FAILED", 901)]);
  await seen(() => expect(shown()).toEqual(["FAILED"]));

  await seen(() => expect(server.times("/api/flows")).toBe(2));
  tell("flow-runs", [run("CRASHED", 902)]);
  await seen(() => expect(shown()).toEqual(["CRASHED"]));

  const go = server.hold("/api/flows");
  serve("RUNNING", 40);
  tell("reset");
  await vi.waitFor(() => expect(server.times("/api/flows")).toBe(3), { timeout: 4_000 });
  tell("flow-runs", [run("PAUSED", 41)]);
  go();

  await seen(() => expect(shown()).toEqual(["PAUSED"]));
  expect(list.query.isFetching).toBe(false);
});
