// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}

import { QueryClient, QueryClientContext } from "@tanstack/solid-query";
import { createComponent, createRoot, createSignal, untrack } from "solid-js";
import type { Accessor } from "solid-js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Live } from "~/lib/live";
import { createRunData } from "./run";
import type { RunData } from "./run";

// -- a server, of which the test says what it answers and when --

const answers = new Map<string, object>();
let asked: string[] = [];
/** Paths whose answers wait until the test lets them go. */
const held = new Map<string, () => void>();

function answer(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname;
  asked.push(path);
  const found = answers.get(path);
  const response = () =>
    found
      ? new Response(JSON.stringify(found), { headers: { "Content-Type": "application/json" } })
      : new Response(JSON.stringify({ detail: `No run matches '${path.split("/").at(-1)}' in this store.` }), {
          status: 404,
          headers: { "Content-Type": "application/json" },
        });
  if (!held.has(path)) return Promise.resolve(response());
  return new Promise((done) => held.set(path, () => done(response())));
}

class Source extends EventTarget {
  static all: Source[] = [];
  readyState = 1;
  constructor(readonly url: string) {
    super();
    Source.all.push(this);
  }
  close(): void {
    this.readyState = 2;
  }
  tell(kind: string, items: object[], change = 0): void {
    this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify({ change, items }) }));
  }
  static newest(): Source {
    return Source.all.at(-1)!;
  }
}

const aRun = (id: string, change: number, told: object = {}) => ({
  id,
  root: id,
  parent: null,
  flow: "f",
  name: id,
  state: "RUNNING",
  attempt: 1,
  change,
  detail: "",
  ...told,
});
const aTaskRun = {
  name: "",
  state_name: "",
  task: "t",
  attempt: 1,
  upstream: [],
  reason: "",
  message: "",
  map_index: null,
};
const aTask = (id: string, run: string, change: number, state = "RUNNING") => ({
  ...aTaskRun,
  id,
  run,
  change,
  state,
});
const aBar = (id: string, run: string, change: number, state = "RUNNING") =>
  [id, id, run, state, state, 1, 1, 0, "task", -1, 1, [], 0, "", "", change] as const;

let stop = () => {};
let stream: Live;

function opened(id: Accessor<string>): RunData {
  let data!: RunData;
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  stop = createRoot((dispose) => {
    createComponent(QueryClientContext.Provider, {
      value: () => client,
      get children() {
        data = untrack(() => createRunData(id, stream)); // as a component's body is
        return null;
      },
    });
    return dispose;
  });
  return data;
}

const states = (data: RunData) =>
  Object.fromEntries(
    data
      .tasks()
      .rows()
      .map((row) => [row.id, row.state]),
  );
const seen = (check: () => void) => vi.waitFor(check, { timeout: 1_000, interval: 5 });

beforeEach(() => {
  answers.clear();
  held.clear();
  asked = [];
  Source.all = [];
  stream = new Live((url) => new Source(url) as unknown as EventSource);
  vi.stubGlobal("fetch", answer);
  vi.stubGlobal("EventSource", { CLOSED: 2 });
  answers.set("/api/flow-runs/a", aRun("a", 10));
  answers.set("/api/flow-runs/a/timeline", { bars: [aBar("a1", "a", 8)], next: "" });
  answers.set("/api/flow-runs/b", aRun("b", 20));
  answers.set("/api/flow-runs/b/timeline", { bars: [aBar("b1", "b", 18)], next: "" });
});
afterEach(() => {
  stop();
  vi.unstubAllGlobals();
});

test("the stream is followed from the change number of the run, and tasks are read after the run", async () => {
  const data = opened(() => "a");
  data.needTasks();

  await seen(() => expect(data.tasksRead()).toBe(true));

  expect(Source.newest().url).toBe("/api/stream?run=a&after=10");
  expect(asked).toEqual(["/api/flow-runs/a", "/api/flow-runs/a/timeline"]);
  expect(states(data)).toEqual({ a1: "RUNNING" });
});

test("what is told of a run counts when it is newer than what was read", async () => {
  const data = opened(() => "a");
  await seen(() => expect(data.run()).toBeDefined());

  Source.newest().tell("flow-runs", [aRun("a", 9, { message: "old" })]);
  Source.newest().tell("flow-runs", [aRun("a", 12, { message: "new" }), aRun("z", 99)]);

  await seen(() => expect(data.run()!.message).toBe("new"));
  expect(data.run()!.id).toBe("a");
});

test("with another state the run is read anew, once, for what is not told beside it", async () => {
  const data = opened(() => "a");
  await seen(() => expect(data.run()).toBeDefined());
  answers.set("/api/flow-runs/a", aRun("a", 15, { state: "FAILED", detail: "Traceback" }));

  Source.newest().tell("flow-runs", [aRun("a", 12, { state: "FAILED" })]);
  Source.newest().tell("flow-runs", [aRun("a", 15, { state: "FAILED" })]);

  await seen(() => expect(data.run()!.detail).toBe("Traceback"));
  expect(data.isFinal()).toBe(true);
  expect(asked).toEqual(["/api/flow-runs/a", "/api/flow-runs/a"]);
});

test("tasks of the run before are not taken for those of the run that is being read", async () => {
  const [id, setId] = createSignal("a");
  const data = opened(id);
  data.needTasks();
  await seen(() => expect(data.tasksRead()).toBe(true));
  const first = Source.newest();
  held.set("/api/flow-runs/b", () => {});

  setId("b");
  await seen(() => expect(asked).toContain("/api/flow-runs/b"));
  first.tell("task-runs", [aTask("a2", "a", 11)]);
  await new Promise(requestAnimationFrame);
  const between = states(data);
  held.get("/api/flow-runs/b")!();
  await seen(() => expect(data.tasksRead()).toBe(true));

  expect(between).toEqual({});
  expect(data.run()!.id).toBe("b");
  expect(states(data)).toEqual({ b1: "RUNNING" });
  expect(first.readyState).toBe(2);
});

test("a task that is told while the tasks are read keeps its newer state", async () => {
  held.set("/api/flow-runs/a/timeline", () => {});
  const data = opened(() => "a");
  data.needTasks();
  await seen(() => expect(asked).toContain("/api/flow-runs/a/timeline"));

  Source.newest().tell("task-runs", [aTask("a1", "a", 12, "COMPLETED"), aTask("a2", "a", 13)]);
  await seen(() => expect(data.tasks().size).toBe(2));
  held.get("/api/flow-runs/a/timeline")!();
  await seen(() => expect(data.tasksRead()).toBe(true));

  expect(states(data)).toEqual({ a1: "COMPLETED", a2: "RUNNING" });
});

test("of a subflow run only its own tasks are taken, from the stream of its outermost run", async () => {
  answers.set("/api/flow-runs/b", aRun("b", 20, { root: "a", parent: "a" }));
  const data = opened(() => "b");
  data.needTasks();
  await seen(() => expect(data.tasksRead()).toBe(true));

  Source.newest().tell("task-runs", [aTask("a1", "a", 21), aTask("b2", "b", 22)]);

  await seen(() => expect(states(data)).toEqual({ b1: "RUNNING", b2: "RUNNING" }));
  expect(Source.newest().url).toBe("/api/stream?run=a&after=20");
});

test("after a reset all is read again, and rows that were there stay until then", async () => {
  const data = opened(() => "a");
  data.needTasks();
  await seen(() => expect(data.tasksRead()).toBe(true));
  answers.set("/api/flow-runs/a/timeline", { bars: [aBar("a1", "a", 30, "FAILED")], next: "" });
  held.set("/api/flow-runs/a/timeline", () => {});

  Source.newest().tell("reset", []);
  await seen(() => expect(asked.filter((path) => path.endsWith("timeline")).length).toBe(2));
  const between = [states(data), data.tasksRead()];
  held.get("/api/flow-runs/a/timeline")!();

  await seen(() => expect(states(data)).toEqual({ a1: "FAILED" }));
  expect(between).toEqual([{ a1: "RUNNING" }, true]);
  expect(asked.filter((path) => path === "/api/flow-runs/a").length).toBe(2);
});

test("after a reset to smaller change numbers nothing counts that was read or told before", async () => {
  answers.set("/api/flow-runs/a", aRun("a", 900, { state: "COMPLETED" }));
  answers.set("/api/flow-runs/a/timeline", { bars: [aBar("a1", "a", 880), aBar("a2", "a", 890)], next: "" });
  const data = opened(() => "a");
  data.needTasks();
  await seen(() => expect(data.tasksRead()).toBe(true));
  Source.newest().tell("flow-runs", [aRun("a", 901, { state: "FAILED" })], 901);
  Source.newest().tell("task-runs", [aTask("a1", "a", 902, "COMPLETED")], 902);
  await seen(() => expect(states(data).a1).toBe("COMPLETED"));

  answers.set("/api/flow-runs/a", aRun("a", 40));
  answers.set("/api/flow-runs/a/timeline", { bars: [aBar("a1", "a", 38)], next: "" });
  Source.newest().tell("open", [], 40);

  await seen(() => expect(states(data)).toEqual({ a1: "RUNNING" }));
  expect(data.run()!.state).toBe("RUNNING");
  Source.newest().tell("task-runs", [aTask("a1", "a", 41, "FAILED")], 41);
  answers.set("/api/flow-runs/a", aRun("a", 42, { state: "FAILED", detail: "Traceback" }));
  Source.newest().tell("flow-runs", [aRun("a", 42, { state: "FAILED" })], 42);
  await seen(() => expect(data.run()).toMatchObject({ state: "FAILED", detail: "Traceback" }));
  expect(states(data)).toEqual({ a1: "FAILED" });
});

test("what is told while the task runs are read anew after a reset is in both tables", async () => {
  const data = opened(() => "a");
  data.needTasks();
  await seen(() => expect(data.tasksRead()).toBe(true));
  held.set("/api/flow-runs/a/timeline", () => {});
  Source.newest().tell("reset", []);
  await seen(() => expect(asked.filter((path) => path.endsWith("timeline")).length).toBe(2));

  Source.newest().tell("task-runs", [aTask("a1", "a", 12, "COMPLETED"), aTask("a2", "a", 13)], 13);
  await seen(() => expect(states(data)).toEqual({ a1: "COMPLETED", a2: "RUNNING" }));
  held.get("/api/flow-runs/a/timeline")!();

  await seen(() => expect(asked.length).toBe(4));
  await new Promise((done) => setTimeout(done, 20));
  expect(states(data)).toEqual({ a1: "COMPLETED", a2: "RUNNING" });
});

test("what was read in part before a reset is read from its beginning", async () => {
  held.set("/api/flow-runs/a/timeline", () => {});
  const data = opened(() => "a");
  data.needTasks();
  await seen(() => expect(asked).toContain("/api/flow-runs/a/timeline"));
  Source.newest().tell("task-runs", [aTask("a1", "a", 900, "COMPLETED")], 900);
  await seen(() => expect(data.tasks().size).toBe(1));
  held.delete("/api/flow-runs/a/timeline");

  Source.newest().tell("reset", [], 10);

  await seen(() => expect(data.tasksRead()).toBe(true));
  expect(states(data)).toEqual({ a1: "RUNNING" });
});

test("an id that does not exist is answered with the sentence of the server", async () => {
  const data = opened(() => "nosuch");

  await seen(() => expect(data.error()).not.toBeNull());

  expect(data.error()!.message).toBe("No run matches 'nosuch' in this store.");
  expect(data.run()).toBeUndefined();
});

test("a run that is deleted while somebody looks is told to be", async () => {
  const data = opened(() => "a");
  await seen(() => expect(data.run()).toBeDefined());

  Source.newest().tell("deleted", ["a"] as never);

  await seen(() => expect(data.isDeleted()).toBe(true));
});

test("who left hears nothing more, and all runs are followed again", async () => {
  const data = opened(() => "a");
  await seen(() => expect(data.run()).toBeDefined());
  const first = Source.newest();

  stop();
  stop = () => {};

  expect(first.readyState).toBe(2);
  expect(Source.newest().url).toBe("/api/stream");
});
