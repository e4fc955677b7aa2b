// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}
import { createSignal } from "solid-js";
import { expect, test, vi } from "vitest";
import { living, seen, useServer } from "~/data/server.fixture";
import { tell } from "~/lib/live.fixture";
import { useLastLines, useTask } from "./task-data";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

const server = useServer();
const TASK = "/api/task-runs/t";
const LOGS = `${TASK}/logs`;
const task = (change: number, state: string, more: object = {}) => ({ id: "t", change, state, attempt: 1, ...more });

/** Answers as the server does: lines after a number, of those that are there when it is asked. */
function serveLines(lines: readonly number[]): void {
  server.answers.set(LOGS, ({ query }: { query: URLSearchParams }) => {
    const found = lines.filter((n) => n > Number(query.get("after") ?? 0));
    return {
      lines: found.map((number) => ({ number })),
      after: found.at(-1) ?? Number(query.get("after")),
      more: false,
    };
  });
}

const numbers = (lines: readonly { number: number }[]) => lines.map((line) => line.number);

test("lines that come while others are read are read after that", async () => {
  const lines = [1, 2];
  serveLines(lines);
  const { value: last } = living(() => useLastLines(() => "t"));
  await seen(() => expect(numbers(last.lines())).toEqual([1, 2]));
  const go = server.hold(LOGS);
  tell("task-runs", [task(2, "RUNNING")]);
  await seen(() => expect(server.times(LOGS)).toBe(2));

  lines.push(3);
  // Longer than the pause between two looks: it is the reading that keeps the next one back.
  await new Promise((done) => setTimeout(done, 300));
  tell("task-runs", [task(3, "COMPLETED")]);
  go();

  await seen(() => expect(numbers(last.lines())).toEqual([1, 2, 3]));
});

test("after a reset the lines are those that are there then, whatever their numbers", async () => {
  serveLines([900, 901]);
  const { value: last } = living(() => useLastLines(() => "t"));
  await seen(() => expect(numbers(last.lines())).toEqual([900, 901]));

  serveLines([7]);
  tell("reset");

  await seen(() => expect(numbers(last.lines())).toEqual([7]));
});

test("what is on its way for one task run is not shown for the next", async () => {
  const [id, setId] = createSignal("t");
  serveLines([1]);
  server.answers.set("/api/task-runs/u/logs", { lines: [{ number: 5 }], after: 5, more: false });
  const go = server.hold(LOGS);
  const { value: last } = living(() => useLastLines(id));
  await seen(() => expect(server.times(LOGS)).toBe(1));

  setId("u");
  await seen(() => expect(numbers(last.lines())).toEqual([5]));
  go();
  await new Promise((done) => setTimeout(done, 20));

  expect(numbers(last.lines())).toEqual([5]);
});

test("nothing is asked any more once it is gone", async () => {
  serveLines([1]);
  const go = server.hold(LOGS);
  const { end } = living(() => useLastLines(() => "t"));
  await seen(() => expect(server.times(LOGS)).toBe(1));
  tell("task-runs", [task(2, "RUNNING")]);
  await new Promise((done) => setTimeout(done, 300));
  tell("task-runs", [task(3, "RUNNING")]);

  end();
  go();
  await new Promise((done) => setTimeout(done, 300));

  expect(server.times(LOGS)).toBe(1);
});

test("after a reset a task run is what is read then, and is read in full with its next state", async () => {
  server.answers.set(TASK, task(900, "COMPLETED"));
  server.answers.set(`${TASK}/attempts`, []);
  const { value: data } = living(() => useTask(() => "t"));
  await seen(() => expect(data.task()?.state).toBe("COMPLETED"));
  tell("task-runs", [task(901, "FAILED")]);
  await seen(() => expect(data.task()?.state).toBe("FAILED"));

  server.answers.set(TASK, task(40, "RUNNING"));
  tell("reset");
  await seen(() => expect(data.task()?.state).toBe("RUNNING"));
  server.answers.set(TASK, task(41, "FAILED", { detail: "Traceback" }));
  tell("task-runs", [task(41, "FAILED")]);

  await seen(() => expect(data.task()).toMatchObject({ state: "FAILED", detail: "Traceback" }));
});
