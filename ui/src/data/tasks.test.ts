import { describe, expect, test, vi } from "vitest";
import { createRoot } from "solid-js";
import type { Shapes } from "~/lib/http";
import type { TaskRow } from "./tasks";

const get = vi.fn();
vi.mock("~/lib/http", () => ({
  api: { GET: (...asked: unknown[]) => get(...asked) as unknown },
  answered: async (asked: Promise<{ data: unknown }>) => (await asked).data,
}));
const { TaskTable, readTasks, rowOfTask, took } = await import("./tasks");

function aRow(id: string, told: Partial<TaskRow> = {}): TaskRow {
  return {
    id,
    name: `load-${id}`,
    run: "root",
    state: "RUNNING",
    stateName: "Running",
    created: 1,
    started: 1,
    ended: 0,
    task: "load",
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

const ids = (table: InstanceType<typeof TaskTable>) => table.rows().map((row) => row.id);

describe("a table of task runs", () => {
  test("has them in the order in which they were made, however they come", () => {
    const table = new TaskTable();

    table.take([aRow("b"), aRow("d")]);
    table.take([aRow("c"), aRow("a")]);

    expect(ids(table)).toEqual(["a", "b", "c", "d"]);
    expect(table.size).toBe(4);
  });

  test("keeps the newer one of two answers, whichever comes first", () => {
    const table = new TaskTable();

    table.take([aRow("a", { change: 5, state: "COMPLETED" })]);
    table.take([aRow("a", { change: 3, state: "RUNNING" })]);
    expect(table.row("a")?.state).toBe("COMPLETED");

    table.take([aRow("a", { change: 6, state: "FAILED" })]);
    expect(table.row("a")?.state).toBe("FAILED");
    expect(table.size).toBe(1);
  });

  test("changes rows in place, so that who holds one sees what becomes of it", () => {
    const table = new TaskTable();
    table.take([aRow("a")]);
    const held = table.row("a")!;

    table.take([aRow("a", { change: 2, state: "COMPLETED", ended: 9 })]);

    expect(held).toMatchObject({ state: "COMPLETED", ended: 9 });
    expect(table.rows()[0]).toBe(held);
  });

  test("tells once of what came together, and nothing of what was known", () => {
    createRoot((dispose) => {
      const table = new TaskTable();
      expect(table.version()).toBe(0);
      table.take([aRow("a"), aRow("b"), aRow("c")]);
      expect(table.version()).toBe(1);
      table.take([aRow("a"), aRow("b", { change: 0 })]);
      expect(table.version()).toBe(1);
      table.take([aRow("a"), aRow("b", { change: 2 })]);
      expect(table.version()).toBe(2);
      table.take([]);
      expect(table.version()).toBe(2);
      dispose();
    });
  });

  test("stays as large as it is, however often its rows change", () => {
    const table = new TaskTable();
    table.take(Array.from({ length: 100 }, (_, n) => aRow(String(n).padStart(3, "0"))));

    for (let change = 2; change < 200; change += 1)
      table.take([aRow(String(change % 100).padStart(3, "0"), { change, message: "x".repeat(50) })]);

    expect([table.size, table.rows().length]).toEqual([100, 100]);
  });

  test("takes five hundred changes of ten thousand rows at once", () => {
    const table = new TaskTable();
    const id = (n: number) => String(n).padStart(6, "0");
    table.take(Array.from({ length: 10_000 }, (_, n) => aRow(id(n))));
    const began = performance.now();

    for (let n = 0; n < 500; n += 1) table.take([aRow(id((n * 37) % 10_000), { change: n + 2 })]);
    table.rows();

    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

test("a row of the stream is one of the table, with its message cut", () => {
  const told = {
    id: "a",
    name: "load-0",
    task: "load",
    run: "root",
    map_index: null,
    state: "FAILED",
    state_name: "Failed",
    message: "no".repeat(5_000),
    attempt: 2,
    created: "2026-11-23T18:00:00.5Z",
    started: null,
    ended: null,
    duration: 0,
    tags: [],
    upstream: ["b"],
    due: null,
    reason: "",
    change: 7,
  } as unknown as Shapes["TaskShape"];

  const row = rowOfTask(told);

  expect(row).toMatchObject({ id: "a", mapIndex: -1, attempt: 2, started: 0, due: 0, upstream: ["b"], change: 7 });
  expect(row.created % 1).toBe(0.5);
  expect(row.message.length).toBe(200);
});

test("a task run has taken no time before it began, and time up to now until it ends", () => {
  expect(took(aRow("a", { started: 0 }), 100)).toBe(0);
  expect(took(aRow("a", { started: 10 }), 100)).toBe(90);
  expect(took(aRow("a", { started: 10, ended: 15 }), 100)).toBe(5);
  expect(took(aRow("a", { started: 110 }), 100)).toBe(0);
});

test("task runs are read page by page until there is no next one", async () => {
  const bar = (id: string) => [id, id, "r", "COMPLETED", "Completed", 1, 2, 3, "t", -1, 1, [], 0, "", "", 9];
  const asked: string[] = [];
  get.mockImplementation((_: string, { params }: { params: { query: { after: string } } }) => {
    asked.push(params.query.after);
    return Promise.resolve({
      data: asked.length === 1 ? { bars: [bar("a")], next: "a" } : { bars: [bar("b")], next: "" },
    });
  });
  const table = new TaskTable();

  await readTasks("r", table, new AbortController().signal);

  expect(asked).toEqual(["", "a"]);
  expect(ids(table)).toEqual(["a", "b"]);
  expect(table.row("b")).toMatchObject({ created: 1, started: 2, ended: 3, mapIndex: -1, change: 9 });
});
