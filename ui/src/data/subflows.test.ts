// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}
import { expect, test, vi } from "vitest";
import { tell } from "~/lib/live.fixture";
import { living, seen, useServer } from "./server.fixture";
import { useSubflowNames } from "./subflows";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

const server = useServer();
const PATH = "/api/flow-runs/a/subflows";
const serve = (...ids: string[]) =>
  server.answers.set(PATH, { runs: ids.map((id) => ({ id, name: `name of ${id}` })) });

test("a subflow that begins while the names are read has its name after that", async () => {
  serve("b");
  const go = server.hold(PATH);
  const { value: names } = living(() =>
    useSubflowNames(
      () => "a",
      () => true,
    ),
  );
  await seen(() => expect(server.times(PATH)).toBe(1));

  serve("b", "c");
  tell("flow-runs", [{ id: "c", parent: "a" }]);
  go();

  await seen(() => expect(names().get("c")).toBe("name of c"));
});

test("after a reset the names are those that are there then", async () => {
  serve("b");
  const { value: names } = living(() =>
    useSubflowNames(
      () => "a",
      () => true,
    ),
  );
  await seen(() => expect([...names().keys()]).toEqual(["b"]));

  serve("d");
  tell("reset");

  await seen(() => expect([...names().keys()]).toEqual(["d"]));
});
