import { describe, expect, test } from "vitest";
import { fits, newer, taken, timeOfId, without } from "./run-list";
import type { Run } from "./run-list";

function run(id: string, more: Partial<Run> = {}): Run {
  return {
    ...{ id, name: `run-${id}`, flow: "daily", state: "RUNNING", state_name: "Running", message: "", attempt: 1 },
    ...{ created: "2026-11-23T18:00:00Z", started: null, ended: null, duration: 0, tags: [], parameters: {} },
    ...{ tasks: {}, parent: null, root: id, version: "", entrypoint: null, change: 1 },
    ...more,
  } as Run;
}

const always = () => true;
const ids = (runs: readonly Run[]) => runs.map((one) => one.id).join("");

describe("taking runs in", () => {
  const list = [run("d"), run("b"), run("a")];

  test("a new one has its place by its id", () => {
    expect(ids(taken(list, [run("c"), run("e")], always))).toBe("edcba");
  });

  test("a newer answer takes the place of an older one, and never the other way round", () => {
    const now = taken(list, [run("b", { change: 5, state: "COMPLETED" })], always);
    const then = taken(now, [run("b", { change: 4, state: "RUNNING" })], always);

    expect(now[1]?.state).toBe("COMPLETED");
    expect(then).toBe(now);
  });

  test("what does not belong any more goes", () => {
    const isRunning = (one: Run) => one.state === "RUNNING";

    expect(ids(taken(list, [run("b", { change: 2, state: "FAILED" })], isRunning))).toBe("da");
  });

  test("what never belonged changes nothing, not even the list itself", () => {
    expect(taken(list, [run("c")], () => false)).toBe(list);
    expect(taken(list, [], always)).toBe(list);
  });

  test("the list that it was is left as it was", () => {
    taken(list, [run("c"), run("b", { change: 9 })], always);

    expect(ids(list)).toBe("dba");
    expect(list[1]?.change).toBe(1);
  });

  test("of one told twice the newer one stays", () => {
    expect(taken([], [run("a", { change: 2 }), run("a", { change: 1 })], always).map((one) => one.change)).toEqual([2]);
  });

  test("ten thousand runs take a change without being sorted anew", () => {
    const many = Array.from({ length: 10_000 }, (_, n) => run(String(99_999 - n)));
    const before = performance.now();
    for (let n = 0; n < 100; n += 1) taken(many, [run("95000", { change: 2 })], always);

    expect(performance.now() - before).toBeLessThan(500);
  });
});

test("deleted runs go, and a list without them stays itself", () => {
  const list = [run("b"), run("a")];

  expect(ids(without(list, ["b", "x"]))).toBe("a");
  expect(without(list, ["x"])).toBe(list);
});

test("the answer with the greater change is the newer one", () => {
  const [one, other] = [run("a", { change: 3 }), run("a", { change: 4 })];

  expect(newer(one, other)).toBe(other);
  expect(newer(other, one)).toBe(other);
  expect(newer(one, undefined)).toBe(one);
});

describe("whether a run belongs to a list", () => {
  const one = run("01a209b9", {
    flow: "Training",
    tags: ["nightly", "gpu"],
    parameters: { rows: 500, source: "warehouse", depths: [1, 2], text: "a long one…" } as never,
  });

  test.each([
    [{}, true],
    [{ flow: "Training" }, true],
    [{ flow: "train" }, false],
    [{ state: ["RUNNING", "PAUSED"] }, true],
    [{ state: ["FAILED"] }, false],
    [{ state: [] }, true],
    [{ tag: ["gpu", "nightly"] }, true],
    [{ tag: ["gpu", "weekly"] }, false],
    [{ text: "TRAIN" }, true],
    [{ text: "1A209" }, true],
    [{ text: "other" }, false],
    [{ since: "2026-11-23T18:00:00Z" }, true],
    [{ since: "2026-11-23T18:00:01Z" }, false],
    [{ until: "2026-11-23T18:00:00Z" }, false],
    [{ until: "2026-11-23T18:00:01Z" }, true],
    [{ parameter: ["rows=500"] }, true],
    [{ parameter: ["rows=5"] }, false],
    [{ parameter: ["source=warehouse"] }, true],
    [{ parameter: ['source="warehouse"'] }, true],
    [{ parameter: ["depths=[1, 2]"] }, true],
    [{ parameter: ["rows=500", "source=lake"] }, false],
    [{ parameter: ["unknown=1"] }, false],
  ])("by %o: %s", (filter, does) => {
    expect(fits(one, filter)).toBe(does);
  });

  test("a subflow run belongs only where they are asked for", () => {
    const sub = run("b", { parent: "a" });

    expect(fits(sub, {})).toBe(false);
    expect(fits(sub, { subflows: true })).toBe(true);
  });

  test("where a value is shown cut, it stays where it was", () => {
    expect(fits(one, { parameter: ["text=a long one indeed"] })).toBe(false);
    expect(fits(one, { parameter: ["text=a long one indeed"] }, true)).toBe(true);
  });
});

test("an id tells when it was made", () => {
  expect(timeOfId("01a209b9-5a95-71b1-8f54-e5f440585abb")).toBeCloseTo(
    Date.parse("2026-11-23T18:44:32.021Z") / 1000,
    2,
  );
  expect(timeOfId("")).toBe(0);
  expect(timeOfId("no-id")).toBe(0);
});
