import { describe, expect, it } from "vitest";
import type { Run } from "./run-list";
import { idOf, meanOf, NEWEST, ordered, orderOf, orderTold, stateOf, successOf, withRun, withRuns } from "./flow-list";
import type { Flow } from "./flow-list";

function id(n: number): string {
  return `0199-${String(n).padStart(4, "0")}`;
}

function flow(name: string, change: Partial<Flow> = {}): Flow {
  return {
    name,
    newest: id(2),
    newest_at: "2026-11-23T10:00:00Z",
    runs: { completed: 1, running: 1 },
    seconds: { completed: 4 },
    outcomes: [
      [id(2), "RUNNING", "Running", 2, 2, 0, 20],
      [id(1), "COMPLETED", "Completed", 1, 1, 5, 10],
    ],
    ...change,
  };
}

function run(n: number, state: string, change: number, more: Partial<Run> = {}): Run {
  return {
    id: id(n),
    flow: "etl",
    state,
    state_name: state,
    created: "2026-11-23T11:00:00Z",
    started: null,
    ended: null,
    parent: null,
    change,
    ...more,
  } as Run;
}

describe("a flow with a run that was heard of", () => {
  it("shows the run in its new state and counts it there", () => {
    const now = withRun(flow("etl"), run(2, "FAILED", 21));

    expect(now.outcomes.map(stateOf)).toEqual(["FAILED", "COMPLETED"]);
    expect(now.runs).toEqual({ completed: 1, running: 0, failed: 1 });
  });

  it("is as it was when the run is older than what is shown", () => {
    const before = flow("etl");

    expect(withRun(before, run(2, "PENDING", 19))).toBe(before);
  });

  it("has a new run as its newest, and counts it", () => {
    const now = withRun(flow("etl"), run(3, "PENDING", 30));

    expect(now.newest).toBe(id(3));
    expect(now.newest_at).toBe("2026-11-23T11:00:00Z");
    expect(now.outcomes.map(idOf)).toEqual([id(3), id(2), id(1)]);
    expect(now.runs).toEqual({ completed: 1, running: 1, pending: 1 });
  });

  it("leaves a run alone that is older than its strip reaches", () => {
    const before = flow("etl");

    expect(withRun(before, run(0, "COMPLETED", 40))).toBe(before);
  });

  it("shows no more runs than a strip has room for", () => {
    let now = flow("etl");
    for (let n = 3; n < 40; n += 1) now = withRun(now, run(n, "RUNNING", n * 10));

    expect(now.outcomes).toHaveLength(NEWEST);
    expect(idOf(now.outcomes[0]!)).toBe(id(39));
  });
});

describe("flows with runs that were heard of", () => {
  it("are the same list when nothing of them changed", () => {
    const before = [flow("a"), flow("b")];

    expect(withRuns(before, [run(3, "RUNNING", 30)])).toBe(before);
    expect(withRuns(before, [run(3, "RUNNING", 30, { flow: "a", parent: id(1) })])).toBe(before);
  });

  it("change where their runs did", () => {
    const before = [flow("a"), flow("etl")];

    const now = withRuns(before, [run(3, "RUNNING", 30)]);

    expect(now[0]).toBe(before[0]);
    expect(now[1]!.newest).toBe(id(3));
  });
});

describe("an order", () => {
  const flows = [
    flow("a", { runs: { completed: 1, failed: 1 }, seconds: { completed: 9 } }),
    flow("b", { runs: { failed: 3 }, seconds: { failed: 9 } }),
    flow("c", { runs: { completed: 2, cancelled: 9 }, seconds: { completed: 2 } }),
    flow("d", { runs: { running: 1 }, seconds: {} }),
  ];
  const names = (told: string) =>
    ordered(flows, orderOf(told))
      .map((one) => one.name)
      .join("");

  it("is by name unless the URL says another", () => {
    expect(names("")).toBe("abcd");
    expect(names("nonsense")).toBe("abcd");
    expect(names("-name")).toBe("dcba");
  });

  it("has flows without a value last in either direction", () => {
    expect(names("mean")).toBe("cabd");
    expect(names("-mean")).toBe("acbd");
    expect(names("success")).toBe("bacd");
    expect(names("-success")).toBe("cabd");
  });

  it("is told as it was read", () => {
    for (const told of ["", "-name", "runs", "-runs"]) expect(orderTold(orderOf(told))).toBe(told);
  });
});

it("counts neither what was cancelled nor what still runs for or against success", () => {
  expect(successOf(flow("a", { runs: { completed: 3, failed: 1, crashed: 1, cancelled: 7, running: 2 } }))).toEqual({
    good: 3,
    of: 5,
  });
});

it("has no mean duration where nothing completed", () => {
  expect(meanOf(flow("a", { runs: { failed: 2 }, seconds: { failed: 8 } }))).toBeUndefined();
});
