// @vitest-environment happy-dom
import { createRoot } from "solid-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Live } from "./live";
import type { Kind, News } from "./live";

/** A stream that says what the test says. */
class FakeSource extends EventTarget {
  readyState = 0;
  constructor(readonly url: string) {
    super();
    all.push(this);
  }
  close(): void {
    this.readyState = 2;
  }
  /** What the server sends. */
  say(kind: string, data: unknown): void {
    if (this.readyState !== 2) this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data) }));
  }
  fail(isClosed: boolean): void {
    if (isClosed) this.readyState = 2;
    this.dispatchEvent(new Event("error"));
  }
}

let all: FakeSource[] = [];
let frames: (() => void)[] = [];
let hidden = false;

const newest = () => all.at(-1)!;
const run = (id: string, change = 1) => ({ id, change });
const frame = () => frames.splice(0).forEach((draw) => draw());

function made(): Live {
  return new Live((url) => new FakeSource(url) as unknown as EventSource);
}

/** What was heard of a kind, one list for each time that it was told. */
function heard<K extends Kind>(live: Live, kind: K): { told: News[K][]; end: () => void } {
  const told: News[K][] = [];
  const end = createRoot((end) => {
    live.hear(kind, (items) => told.push(items));
    return end;
  });
  return { told, end };
}

function see(isSeen: boolean): void {
  hidden = !isSeen;
  document.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(() => {
  all = [];
  frames = [];
  hidden = false;
  vi.useFakeTimers();
  vi.stubGlobal("requestAnimationFrame", (draw: () => void) => frames.push(draw));
  vi.stubGlobal("cancelAnimationFrame", () => (frames = []));
  vi.stubGlobal("EventSource", { CLOSED: 2 });
  vi.spyOn(document, "hidden", "get").mockImplementation(() => hidden);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("telling", () => {
  test("what comes within a frame is told at once, runs after what belongs to them", () => {
    const live = made();
    live.start();
    const order: string[] = [];
    createRoot(() => {
      live.hear("flow-runs", (items) => order.push(`runs ${items.length}`));
      live.hear("task-runs", (items) => order.push(`tasks ${items.length}`));
    });

    newest().say("flow-runs", { change: 1, items: [run("a")] });
    newest().say("task-runs", { change: 1, items: [run("t"), run("u")] });
    newest().say("flow-runs", { change: 2, items: [run("a", 2)] });
    expect(order).toEqual([]);
    frame();

    expect(order).toEqual(["tasks 2", "runs 2"]);
  });

  test("nothing piles up while nobody sees the page", () => {
    const live = made();
    live.start();
    const { told } = heard(live, "flow-runs");
    hidden = true;

    newest().say("flow-runs", { change: 1, items: [run("a")] });

    expect(told).toHaveLength(1);
  });

  test("who is gone hears nothing", () => {
    const live = made();
    live.start();
    const { told, end } = heard(live, "deleted");
    end();

    newest().say("deleted", { change: 1, items: ["a"] });
    frame();

    expect(told).toEqual([]);
  });
});

describe("following", () => {
  test("one run begins after what is shown of it", () => {
    const live = made();
    live.start();

    live.follow({ run: "r", after: 7 });

    expect(all.map((one) => one.url)).toEqual(["/api/stream", "/api/stream?run=r&after=7"]);
    expect(all[0]!.readyState).toBe(2);
  });

  test("what is followed already goes on as it is", () => {
    const live = made();
    live.start();
    live.follow({ run: "r", after: 7 });
    live.follow({ run: "r", after: 9 });

    expect(all).toHaveLength(2);
  });

  test("news of what was followed before are not told any more", () => {
    const live = made();
    live.start();
    const { told } = heard(live, "flow-runs");
    newest().say("flow-runs", { change: 3, items: [run("a")] });

    live.follow({ run: "r", after: 7 });
    frame();

    expect(told).toEqual([]);
  });
});

describe("coming back", () => {
  test("a stream that broke goes on after the last change", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve({ status: 200 }));
    const live = made();
    live.start();
    newest().say("open", { change: 5 });
    newest().say("flow-runs", { change: 8, items: [] });

    newest().fail(true);
    expect(live.connection()).toBe("away");
    await vi.advanceTimersByTimeAsync(600);

    expect(newest().url).toBe("/api/stream?after=8");
    newest().dispatchEvent(new Event("open"));
    expect(live.connection()).toBe("live");
  });

  test("the browser's own tries are left to it", () => {
    const live = made();
    live.start();

    newest().fail(false);
    vi.advanceTimersByTime(60_000);

    expect(all).toHaveLength(1);
  });

  test("after a reset the numbers of another store count", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve({ status: 200 }));
    const live = made();
    live.start();
    const { told } = heard(live, "reset");
    newest().say("flow-runs", { change: 900, items: [] });

    newest().say("reset", { change: 4 });
    frame();
    newest().fail(true);
    await vi.advanceTimersByTimeAsync(600);

    expect(told).toHaveLength(1);
    expect(newest().url).toBe("/api/stream?after=4");
  });

  test("a server that begins before what was told has another store: nothing that is shown or waits counts", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve({ status: 200 }));
    const live = made();
    live.start();
    const [resets, runs] = [heard(live, "reset").told, heard(live, "flow-runs").told];
    newest().say("open", { change: 5 });
    newest().say("flow-runs", { change: 900, items: [run("a", 900)] });
    newest().fail(true);
    await vi.advanceTimersByTimeAsync(600);

    newest().say("open", { change: 40 });
    const told = live.told();
    frame();

    expect(told).toBe(40);
    expect(resets).toHaveLength(1);
    expect(runs).toEqual([]);
    expect(live.resets).toBe(1);
    newest().say("flow-runs", { change: 41, items: [run("a", 41)] });
    frame();
    expect(runs).toEqual([[run("a", 41)]]);
    expect(live.told()).toBe(41);
  });

  test("a tab that nobody sees lets its stream go, and goes on where it was", () => {
    const live = made();
    live.start();
    newest().say("open", { change: 5 });

    see(false);
    vi.advanceTimersByTime(20_000);
    expect(newest().readyState).toBe(2);
    see(true);

    expect(newest().url).toBe("/api/stream?after=5");
  });

  test("a tab that was away for long loads anew what it shows", () => {
    const live = made();
    live.start();
    const { told } = heard(live, "reset");
    newest().say("open", { change: 5 });

    see(false);
    vi.advanceTimersByTime(3_600_000);
    see(true);

    expect(told).toHaveLength(1);
    expect(newest().url).toBe("/api/stream");
  });

  test("a list that was put away is told what it missed", () => {
    const live = made();
    live.start();
    newest().say("open", { change: 5 });
    newest().say("flow-runs", { change: 6, items: [run("a", 6)] });
    expect(live.told()).toBe(5);
    frame();
    const told = live.told();
    live.follow({ run: "r", after: 40 });
    expect(live.told()).toBe(0);

    live.catchUp(told);
    live.followAll();

    expect(told).toBe(6);
    expect(newest().url).toBe("/api/stream?after=6");
  });

  test("it does not matter which of the two is first", () => {
    const live = made();
    live.start();
    live.follow({ run: "r", after: 40 });

    live.followAll();
    live.catchUp(6);

    expect(newest().url).toBe("/api/stream?after=6");
  });

  test("a stream that told all since goes on", () => {
    const live = made();
    live.start();
    newest().say("open", { change: 5 });
    newest().say("flow-runs", { change: 9, items: [] });

    live.catchUp(6);

    expect(all).toHaveLength(1);
  });
});

describe("being ready", () => {
  test("is when the stream has begun: who reads then misses nothing", async () => {
    const live = made();
    live.start();
    let isReady = false;
    void live.ready().then(() => (isReady = true));

    newest().dispatchEvent(new Event("open"));
    await vi.advanceTimersByTimeAsync(0);
    expect(isReady).toBe(false);
    newest().say("open", { change: 5 });
    await vi.advanceTimersByTimeAsync(0);

    expect(isReady).toBe(true);
  });

  test("is not waited for for ever, and what was read before is read anew once it is so", async () => {
    const live = made();
    live.start();
    const { told } = heard(live, "reset");
    let isReady = false;
    void live.ready().then(() => (isReady = true));

    await vi.advanceTimersByTimeAsync(2_000);
    expect(isReady).toBe(true);
    expect(told).toEqual([]);
    newest().say("open", { change: 5 });

    expect(told).toHaveLength(1);
  });

  test("is told once where a stream that begins late begins with a reset", async () => {
    const live = made();
    live.start();
    const { told } = heard(live, "reset");
    void live.ready();
    await vi.advanceTimersByTimeAsync(2_000);

    newest().say("reset", { change: 5 });
    frame();

    expect(told).toHaveLength(1);
  });

  test("is at once where the stream goes on after a change", async () => {
    const live = made();
    live.start();
    live.follow({ run: "r", after: 7 });

    await live.ready();
  });
});
