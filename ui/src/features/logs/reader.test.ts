// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}
import { expect, test, vi } from "vitest";
import { living, seen, useServer } from "~/data/server.fixture";
import type { Asked } from "~/data/server.fixture";
import { tell } from "~/lib/live.fixture";
import { createMarks } from "./marks";
import { createLogReader } from "./reader";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

const server = useServer();
const PATH = "/api/flow-runs/a/logs";

/** Answers as the server does, of the lines that are there when it is asked. */
function serve(lines: readonly number[]): void {
  server.answers.set(PATH, ({ query }: Asked) => {
    const [after, before] = [Number(query.get("after") ?? -1), Number(query.get("before") ?? Infinity)];
    const found = lines.filter((n) => n > after && n < before);
    return {
      lines: found.map((number) => ({ number, at: null, level: "ERROR", run: "a", task: null, logger: "", text: "" })),
      after: found.at(-1) ?? Math.max(after, 0),
      before: null,
      more: false,
      first: lines[0] ?? 0,
      last: lines.at(-1) ?? 0,
    };
  });
}

const opened = (place = () => 0) =>
  living(() =>
    createLogReader(
      () => "a",
      () => ({}),
      place,
    ),
  ).value;
const numbers = (lines: readonly { number: number }[]) => lines.map((line) => line.number);

test("once a page was taken nothing is said of the one that did not come", async () => {
  const lines = [1];
  serve(lines);
  const reader = opened();
  await seen(() => expect(numbers(reader.window().lines)).toEqual([1]));
  server.answers.set(PATH, () => Response.error());
  tell("flow-runs");
  await seen(() => expect(reader.error()).not.toBeNull());

  lines.push(2);
  serve(lines);
  tell("flow-runs");

  await seen(() => expect(numbers(reader.window().lines)).toEqual([1, 2]));
  expect(reader.error()).toBeNull();
});

test("after a reset the log is opened anew where one is, since lines of another store have other numbers", async () => {
  serve([900, 901]);
  const reader = opened();
  await seen(() => expect(numbers(reader.window().lines)).toEqual([900, 901]));

  const lines = [7];
  serve(lines);
  tell("reset");
  await seen(() => expect(numbers(reader.window().lines)).toEqual([7]));
  lines.push(8);
  tell("task-runs");

  await seen(() => expect(numbers(reader.window().lines)).toEqual([7, 8]));
});

test("marks are read anew after a reset", async () => {
  serve([900, 901]);
  const { value: marks } = living(() =>
    createMarks(
      () => "a",
      () => ({}),
    ),
  );
  await seen(() => expect(numbers(marks().lines)).toEqual([900, 901]));

  serve([7]);
  tell("reset");

  await seen(() => expect(numbers(marks().lines)).toEqual([7]));
});
