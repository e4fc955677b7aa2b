import { describe, expect, test } from "vitest";
import type { Run } from "~/data/run-list";
import { STATES } from "~/lib/state";
import { AT_ONCE, applies, byReason, targets, toEach } from "./bulk";

const run = (id: string, state = "FAILED", more: Partial<Run> = {}) =>
  ({ id, name: `run-${id}`, state, root: id, parent: null, ...more }) as Run;

const freely = { onStep: () => {}, isStopped: () => false };

describe("what applies to a run", () => {
  test.each([
    ["cancel", ["RUNNING", "PAUSED", "PENDING", "SCHEDULED"]],
    ["resume", ["PAUSED", "FAILED", "CRASHED", "CANCELLED"]],
    ["delete", ["FAILED", "CRASHED", "CANCELLED", "COMPLETED"]],
  ] as const)("%s: in the states %o", (deed, states) => {
    expect(STATES.filter((state) => applies(deed, run("a", state)))).toEqual(states);
  });

  test("a subflow run goes with its outermost run alone", () => {
    expect(applies("delete", run("b", "FAILED", { parent: "a", root: "a" }))).toBe(false);
  });
});

test("an outermost run is asked once for all that belong to it", () => {
  const runs = [run("b", "RUNNING", { root: "a" }), run("a", "RUNNING"), run("c", "COMPLETED"), run("d", "RUNNING")];

  expect(targets("cancel", runs).map((one) => one.id)).toEqual(["b", "d"]);
});

describe("doing something to each", () => {
  test("is done a few at a time", async () => {
    let [now, most] = [0, 0];
    const items = Array.from({ length: 20 }, (_, n) => n);

    const { done } = await toEach(
      items,
      async () => {
        most = Math.max(most, (now += 1));
        await Promise.resolve();
        now -= 1;
      },
      freely,
    );

    expect(done.sort((a, b) => a - b)).toEqual(items);
    expect(most).toBe(AT_ONCE);
  });

  test("goes on where something is refused, and tells why", async () => {
    const steps: number[] = [];
    const { done, refused } = await toEach(
      [1, 2, 3],
      (n) => (n === 2 ? Promise.reject(new Error("no")) : Promise.resolve()),
      { ...freely, onStep: (n) => steps.push(n) },
    );

    expect([done, refused]).toEqual([[1, 3], [{ item: 2, why: "no" }]]);
    expect(steps).toEqual([1, 2, 3]);
  });

  test("ends where one says so; what is on its way is waited for", async () => {
    let count = 0;
    const { done } = await toEach(
      Array.from({ length: 50 }, (_, n) => n),
      () => Promise.resolve((count += 1)),
      { ...freely, isStopped: () => count >= 6 },
    );

    expect(done.length).toBeGreaterThanOrEqual(6);
    expect(done.length).toBeLessThan(6 + AT_ONCE);
  });
});

test("refusals of one kind are told once", () => {
  const groups = byReason([
    { item: run("01a2-1"), why: "Run run-01a2-1 finished as Failed at 10:31." },
    { item: run("01a2-2"), why: "Run run-01a2-2 finished as Failed at 11:02." },
    { item: run("01a2-3"), why: "It waits for input." },
  ]);

  expect(groups.map((group) => [group.why, group.runs.length])).toEqual([
    ["Run run-01a2-1 finished as Failed at 10:31.", 2],
    ["It waits for input.", 1],
  ]);
});
