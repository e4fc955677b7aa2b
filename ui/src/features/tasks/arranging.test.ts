// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}

import { describe, expect, it } from "vitest";
import type { TaskRow } from "~/data/tasks";
import { FOLDED_FROM, arrange, compare, isGroup, waitedOf, whyOf } from "./arranging";
import type { Facts, Shown, TasksView } from "./arranging";
import { csvOf } from "./csv";

const VIEW: TasksView = {
  text: "",
  states: [],
  name: "",
  only: "",
  sort: "",
  descending: false,
  grouped: false,
  turned: new Set(),
};
const FACTS: Facts = { now: 100, resumed: 0, subflowOf: () => "" };

function row(name: string, told: Partial<TaskRow> = {}): TaskRow {
  return {
    id: name,
    name,
    run: "run",
    state: "COMPLETED",
    stateName: "Completed",
    created: 10,
    started: 11,
    ended: 12,
    task: name.replace(/-\d+$/, ""),
    mapIndex: -1,
    attempt: 1,
    upstream: [],
    due: 0,
    reason: "",
    message: "",
    change: 1,
    ...told,
  };
}

function names(shown: readonly Shown[]): string[] {
  return shown.map((one) => (isGroup(one) ? `[${one.name} ${one.rows.length}]` : one.name));
}

const ROWS = [
  row("load-0", { ended: 15 }),
  row("fit-2", { state: "FAILED", stateName: "Failed", attempt: 4, message: "no price", started: 20, ended: 21 }),
  row("fit-10", { stateName: "Cached", started: 12, ended: 12 }),
  row("fit-1", { state: "PENDING", stateName: "Pending", started: 0, ended: 0 }),
];

describe("which task runs are shown", () => {
  it("is told by state, name of the task, and text in name or message", () => {
    const shown = (view: Partial<TasksView>) => names(arrange(ROWS, { ...VIEW, ...view }, FACTS).shown);

    expect(shown({})).toEqual(["load-0", "fit-2", "fit-10", "fit-1"]);
    expect(shown({ states: ["FAILED", "PENDING"] })).toEqual(["fit-2", "fit-1"]);
    expect(shown({ name: "load" })).toEqual(["load-0"]);
    expect(shown({ text: "PRICE" })).toEqual(["fit-2"]);
    expect(shown({ text: "fit-1" })).toEqual(["fit-10", "fit-1"]);
  });

  it("is told by whether they failed, were reused or were retried", () => {
    const shown = (only: TasksView["only"]) => names(arrange(ROWS, { ...VIEW, only }, FACTS).shown);

    expect([shown("failed"), shown("reused"), shown("retried")]).toEqual([["fit-2"], ["fit-10"], ["fit-2"]]);
  });

  it("is told by whether they took much longer than is usual for their task", () => {
    const many = [...Array.from({ length: 6 }, (_, n) => row(`a-${n}`)), row("a-9", { started: 11, ended: 20 })];
    const few = [row("b-0"), row("b-1", { ended: 90 })];

    const { shown, kinds } = arrange([...many, ...few], { ...VIEW, only: "slow" }, FACTS);

    expect(names(shown)).toEqual(["a-9"]);
    expect(kinds.slow).toBe(1);
  });

  it("is counted by state without the filter of states, and by task without that of tasks", () => {
    const found = arrange(ROWS, { ...VIEW, states: ["FAILED"], name: "fit" }, FACTS);

    expect(found.states).toEqual({ FAILED: 1, COMPLETED: 1, PENDING: 1 });
    expect([...found.names]).toEqual([["fit", 1]]);
  });
});

describe("the order of task runs", () => {
  const sorted = (sort: TasksView["sort"], descending = false) =>
    names(arrange(ROWS, { ...VIEW, sort, descending }, FACTS).shown);

  it("takes numbers in names as numbers", () => {
    expect(sorted("name")).toEqual(["fit-1", "fit-2", "fit-10", "load-0"]);
    expect(compare("fit-2", "fit-10", false)).toBeLessThan(0);
  });

  it("has what is not known last, either way", () => {
    expect(sorted("took")).toEqual(["fit-10", "fit-2", "load-0", "fit-1"]);
    expect(sorted("took", true)).toEqual(["load-0", "fit-2", "fit-10", "fit-1"]);
    expect(sorted("started", true).at(-1)).toBe("fit-1");
  });

  it("is that of the calls among equal ones", () => {
    expect(sorted("attempt")).toEqual(["load-0", "fit-10", "fit-1", "fit-2"]);
    expect(sorted("", true)).toEqual(["fit-1", "fit-10", "fit-2", "load-0"]);
  });
});

describe("groups of task runs", () => {
  it("say how many there are, in which states, and how long they took", () => {
    const { shown } = arrange(ROWS, { ...VIEW, grouped: true }, FACTS);

    expect(names(shown)).toEqual(["[load 1]", "load-0", "[fit 3]", "fit-2", "fit-10", "fit-1"]);
    expect(shown[2]).toMatchObject({
      counts: { FAILED: 1, COMPLETED: 1, PENDING: 1 },
      retries: 3,
      started: 12,
      middle: 0,
      longest: 1,
    });
  });

  it("are folded where they are large, and turned over by whoever wants to", () => {
    const many = Array.from({ length: FOLDED_FROM + 1 }, (_, n) => row(`item-${n}`));
    const shown = (turned: string[]) =>
      names(arrange([...many, row("one-0")], { ...VIEW, grouped: true, turned: new Set(turned) }, FACTS).shown);

    expect(shown([])).toEqual(["[item 201]", "[one 1]", "one-0"]);
    expect(shown(["one"])).toEqual(["[item 201]", "[one 1]"]);
    expect(shown(["item"])).toHaveLength(204);
  });

  it("come in the order that their rows are sorted by", () => {
    const { shown } = arrange(ROWS, { ...VIEW, grouped: true, sort: "took", turned: new Set(["fit", "load"]) }, FACTS);

    expect(names(shown)).toEqual(["[fit 3]", "[load 1]"]);
  });
});

describe("what is said of a task run", () => {
  it("is why it ran or did not", () => {
    const resumed = { ...FACTS, resumed: 50 };

    expect(whyOf(row("a"), FACTS)).toBe("Ran");
    expect(whyOf(row("a"), resumed)).toBe("From an earlier attempt");
    expect(whyOf(row("a", { stateName: "Cached" }), resumed)).toBe("From the cache");
    expect(whyOf(row("a", { ended: 60, reason: "it had not completed (Failed)" }), resumed)).toBe(
      "Ran again: it had not completed (Failed)",
    );
    expect(whyOf(row("a", { started: 0, state: "FAILED" }), FACTS)).toBe("Did not run");
    expect(whyOf(row("a", { started: 0, ended: 0, state: "PENDING" }), FACTS)).toBe("");
  });

  it("is how long it waited, unless only a later attempt's begin is known", () => {
    expect(waitedOf(row("a"), 100)).toBe(1);
    expect(waitedOf(row("a", { started: 0, ended: 0 }), 100)).toBe(90);
    expect(waitedOf(row("a", { attempt: 2 }), 100)).toBe(-1);
  });

  it("is saved as a table in which nothing is a formula", () => {
    const csv = csvOf([row("=SUM(A1)", { message: 'said "no",\nthen left', task: "t" })], FACTS);

    expect(csv.split("\r\n")[1]).toBe(
      "=SUM(A1),'=SUM(A1),t,,,COMPLETED,Completed,1,1970-01-01T00:00:10.000Z,1970-01-01T00:00:11.000Z," +
        '1970-01-01T00:00:12.000Z,1.000000,1.000000,Ran,"said ""no"",\nthen left"',
    );
  });
});
