import { describe, expect, test } from "vitest";
import { commitTold, droppedTold, forShell, parametersTold, possible, requestsTold, whyNot } from "./actions-model";
import type { Standing } from "./actions-model";

const source = { entrypoint: "/flows.py:f", not_loadable: "" } as Standing["source"];
const standing = (state: string, told: Partial<Standing> = {}): Standing => ({
  id: "a",
  state,
  holder: "process 1 on vm",
  source,
  tasks: { completed: 1 },
  requests: [],
  ...told,
});
const can = (run: Standing, root = run) => [...possible(run, root)].sort();

describe("what can be done", () => {
  test.each([
    ["RUNNING", ["again", "cancel"]],
    ["PENDING", ["again", "cancel"]],
    ["SCHEDULED", ["again", "cancel"]],
    ["PAUSED", ["again", "cancel"]],
    ["CANCELLING", ["again", "cancel"]],
    ["COMPLETED", ["again", "delete"]],
    ["FAILED", ["again", "delete", "resume", "retry"]],
    ["CRASHED", ["again", "delete", "resume", "retry"]],
    ["CANCELLED", ["again", "delete", "resume", "retry"]],
  ])("to a run that is %s", (state, actions) => {
    expect(can(standing(state))).toEqual(actions);
  });

  test("a suspended run can be continued, and one that waits in a process only answered", () => {
    expect(can(standing("PAUSED", { holder: "" }))).toEqual(["again", "cancel", "resume"]);
  });

  test("a run without task runs has none to run again from", () => {
    expect(can(standing("FAILED", { tasks: {} }))).toEqual(["again", "delete", "resume"]);
  });

  test("a run whose code cannot be loaded is neither continued nor started again, and it is told why", () => {
    const run = standing("FAILED", { source: { entrypoint: null, not_loadable: "It is in a notebook." } as never });

    expect(can(run)).toEqual(["delete"]);
    expect(whyNot(run)).toBe("It cannot be continued from here: It is in a notebook.");
    expect(whyNot(standing("FAILED", { source: null }))).toContain("not recorded");
    expect(whyNot(standing("FAILED"))).toBe("");
  });

  test("of a subflow run, what is done is done to its outermost run, and it goes with that only", () => {
    const below = standing("FAILED", { id: "b" });

    expect(can(below, standing("RUNNING"))).toEqual(["cancel"]);
    expect(can(below, standing("FAILED"))).toEqual(["resume", "retry"]);
    expect(can(below, standing("COMPLETED"))).toEqual([]);
  });
});

describe("words", () => {
  test("what is asked is told as a sentence, also where it is new", () => {
    expect(requestsTold(["cancel", "dance"])).toEqual([
      "Cancelling was asked for; its process has not answered yet.",
      "It was asked to dance; that has not happened yet.",
    ]);
  });

  test("a commit is short, and marked where there was more", () => {
    const commit = { git_commit: "04db6e81992ced6cc3b1a2aa38ce18a08c61bf0a", git_dirty: false } as never;

    expect(commitTold(commit)).toBe("04db6e8199");
    expect(commitTold({ ...(commit as object), git_dirty: true } as never)).toBe("04db6e8199 + changes");
    expect(commitTold(null)).toBe("");
  });

  test("what was left out is counted", () => {
    expect(droppedTold({})).toBe("");
    expect(droppedTold({ log: 1, metric: 2000, odd: 3 })).toBe("Not recorded: 1 log line, 2,000 metric values, 3 odd.");
    expect(droppedTold({ "sampled log lines": 85_001 })).toBe(
      "Not recorded: 85,001 log lines beyond what is kept of one second.",
    );
  });

  test("parameters stand in one line, each cut", () => {
    expect(parametersTold({ rows: 5, source: "x".repeat(90), all: null })).toBe(
      `rows 5 · source ${"x".repeat(39)}… · all null`,
    );
    expect(parametersTold({})).toBe("");
  });

  test("a name that a shell would take apart gives way to the id", () => {
    expect(forShell({ name: "calm-koi-7", id: "1" })).toBe("calm-koi-7");
    for (const name of ["two words", "-x", "$(rm)", "שלום", ""]) expect(forShell({ name, id: "1" })).toBe("1");
  });
});
