// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}
import { expect, test, vi } from "vitest";
import { tell } from "~/lib/live.fixture";
import { createMetrics } from "./metrics";
import { living, seen, useServer } from "./server.fixture";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

const server = useServer();
const PATH = "/api/flow-runs/a/metrics";
const value = (number: number) => ({
  key: "loss",
  value: number,
  step: number,
  at: null,
  run: "a",
  task: null,
  number,
});

/** Counts how many values of a metric are put at the end of some list, until it is asked. */
function pushed(): { count: () => number } {
  const { push } = Array.prototype;
  let count = 0;
  Object.assign(Array.prototype, {
    push(this: unknown[], ...items: { key?: string }[]) {
      if (items[0]?.key === "loss") count += items.length;
      return push.apply(this, items);
    },
  });
  return {
    count: () => {
      Object.assign(Array.prototype, { push });
      return count;
    },
  };
}
const page = (after: number) => ({ series: [], after, more: false });

test("what is told after a reading has failed is not kept: it is read with all else", async () => {
  server.answers.set(PATH, () => Response.error());
  const { value: metrics } = living(() =>
    createMetrics(
      () => "a",
      () => true,
    ),
  );
  await seen(() => expect(metrics.error()).not.toBeNull());
  const kept = pushed();

  for (let n = 1; n <= 1_000; n += 1) tell("metrics", [value(n)]);
  const many = kept.count();
  server.answers.set(PATH, page(1_000));
  metrics.again();
  await seen(() => expect(metrics.isRead()).toBe(true));

  expect(many).toBe(0);
  tell("metrics", [value(1_001)]);
  expect(metrics.table().series("loss")?.last).toBe(1_001);
});

test("what is told while it is read is there once it is read", async () => {
  server.answers.set(PATH, page(1));
  const go = server.hold(PATH);
  const { value: metrics } = living(() =>
    createMetrics(
      () => "a",
      () => true,
    ),
  );
  await seen(() => expect(server.times(PATH)).toBe(1));

  tell("metrics", [value(1), value(2)]);
  go();

  await seen(() => expect(metrics.isRead()).toBe(true));
  expect(
    metrics
      .table()
      .series("loss")
      ?.points.map((point) => point.value),
  ).toEqual([2]);
});

test("after a reset values count that have smaller numbers than those before", async () => {
  server.answers.set(PATH, page(900));
  const { value: metrics } = living(() =>
    createMetrics(
      () => "a",
      () => true,
    ),
  );
  await seen(() => expect(metrics.isRead()).toBe(true));

  server.answers.set(PATH, page(40));
  tell("reset");
  await seen(() => expect(server.times(PATH)).toBe(2));
  await seen(() => expect(metrics.isRead()).toBe(true));
  tell("metrics", [value(41)]);

  expect(metrics.table().series("loss")?.last).toBe(41);
});
