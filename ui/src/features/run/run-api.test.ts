// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}
import { expect, test, vi } from "vitest";
import type { FullRun } from "~/data/run";
import { living, seen, useServer } from "~/data/server.fixture";
import { tell } from "~/lib/live.fixture";
import { usePauses, useRunActions } from "./run-api";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

const server = useServer();
const PATH = "/api/flow-runs/a/pauses";
const run = { id: "a", flow: "f", tags: [] } as unknown as FullRun;
const subflow = (id: string, state: string, attempt = 1) => ({ id, state, state_name: state, attempt });
const wait = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

test("however often subflows change, what is asked is read twice a second at most, and once more at the end", async () => {
  server.answers.set(PATH, []);
  const { value: query } = living(() => usePauses(() => run));
  await seen(() => expect(query.isSuccess).toBe(true));

  for (let n = 0; n < 40; n += 1) {
    tell("flow-runs", [subflow(`s${n}`, "RUNNING")]);
    await wait(5);
  }
  const during = server.times(PATH);
  server.answers.set(PATH, [{ key: "approve" }]);
  tell("flow-runs", [subflow("s1", "PAUSED")]);

  await seen(() => expect(query.data).toEqual([{ key: "approve" }]));
  expect(during).toBeLessThanOrEqual(3);
  expect(server.times(PATH)).toBeLessThanOrEqual(4);
});

test("an answer that was made before the news is not the last one", async () => {
  server.answers.set(PATH, []);
  const go = server.hold(PATH);
  const { value: query } = living(() => usePauses(() => run));
  await seen(() => expect(server.times(PATH)).toBe(1));

  server.answers.set(PATH, [{ key: "approve" }]);
  tell("flow-runs", [subflow("s", "PAUSED")]);
  go();

  await seen(() => expect(query.data).toEqual([{ key: "approve" }]));
});

test("news that change no state are no reason to ask", async () => {
  server.answers.set(PATH, []);
  const { value: query } = living(() => usePauses(() => run));
  tell("flow-runs", [subflow("s", "RUNNING")]);
  await seen(() => expect(query.isFetching).toBe(false));
  await wait(550);
  const before = server.times(PATH);

  for (let n = 0; n < 5; n += 1) tell("flow-runs", [subflow("s", "RUNNING")]);
  await wait(20);

  expect(server.times(PATH)).toBe(before);
});

test("an action that is asked again with another body is another request", async () => {
  server.answers.set("/api/flow-runs/a/cancel", () => Response.error());
  const { value: actions } = living(useRunActions);
  const body = { force: false, grace: 10 };

  for (const one of [body, body, { ...body, force: true }]) await actions.cancel("a", one).catch(() => undefined);

  const [first, same, other] = server.asked.map(({ headers }) => headers.get("Idempotency-Key"));
  expect(same).toBe(first);
  expect(other).not.toBe(first);
});
