// @vitest-environment happy-dom
import { createRoot, createSignal } from "solid-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Run, RunsFilter } from "./runs";

type Query = RunsFilter & { before: string; limit: number };

/** The server and its stream, as far as a list of runs knows them. */
const world = vi.hoisted(() => ({
  asked: [] as unknown[],
  answer: (_: unknown): unknown => ({ runs: [], next: "" }),
  listeners: new Map<string, Set<(items: never) => void>>(),
  told: 0,
  caughtUp: [] as number[],
  resets: 0,
}));

vi.mock("~/lib/http", () => ({
  api: {
    GET: async (_: string, { params }: { params: { query: unknown } }) => {
      world.asked.push(params.query);
      return world.answer(params.query);
    },
  },
  answered: (asked: Promise<unknown>) => asked,
}));
vi.mock("~/lib/live", async () => {
  const { onCleanup } = await import("solid-js");
  return {
    live: {
      ready: () => Promise.resolve(),
      told: () => world.told,
      get resets() {
        return world.resets;
      },
      catchUp: (after: number) => world.caughtUp.push(after),
      hear(kind: string, listener: (items: never) => void) {
        const all = world.listeners.get(kind) ?? new Set();
        world.listeners.set(kind, all.add(listener));
        onCleanup(() => all.delete(listener));
      },
    },
  };
});

const { useRuns, MOST } = await import("./runs");

const asked = () => world.asked as Query[];
const tell = (kind: string, items: unknown[]) => {
  for (const listener of world.listeners.get(kind) ?? []) listener(items as never);
};
const settled = () => vi.advanceTimersByTimeAsync(0);

/** Ids grow with time: `id(7)` is newer than `id(6)`. */
const id = (n: number) => `01a209b9-${String(n).padStart(4, "0")}-7000-8000-000000000000`;

function run(n: number, more: Partial<Run> = {}): Run {
  return {
    ...{ id: id(n), root: id(n), name: `run-${n}`, flow: "daily", state: "RUNNING", tags: [], parameters: {} },
    ...{ created: "2026-11-23T18:00:00Z", parent: null, change: n },
    ...more,
  } as Run;
}

/** Answer as the server does: newest first, below `before`, and where to go on. */
function serve(all: () => Run[]): void {
  world.answer = (query) => {
    const { before, limit, state } = query as Query;
    const found = all().filter((one) => (!before || one.id < before) && (!state?.length || state.includes(one.state)));
    const runs = found.slice(0, limit);
    return { runs, next: found.length > limit ? runs.at(-1)!.id : "" };
  };
}

const many = (from: number, to: number, more?: Partial<Run>) =>
  Array.from({ length: from - to + 1 }, (_, n) => run(from - n, more));

let ends: (() => void)[] = [];

function list(filter: () => RunsFilter = () => ({}), options: { limit?: number } = { limit: 3 }) {
  return createRoot((end) => {
    ends.push(end);
    return { ...useRuns(filter, options), end };
  });
}

const numbers = (runs: readonly Run[]) => runs.map((one) => Number(one.id.slice(9, 13)));

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(world, { asked: [], caughtUp: [], told: 0, resets: 0 });
  world.listeners.clear();
});
afterEach(() => {
  for (const end of ends) end();
  ends = [];
  vi.useRealTimers();
});

describe("reading", () => {
  test("begins with one page and goes on where it ended", async () => {
    serve(() => many(9, 1));
    const { runs, query, readMore, more } = list();
    expect(query.data).toBeUndefined();
    await settled();
    expect(numbers(runs())).toEqual([9, 8, 7]);

    readMore();
    await settled();

    expect(asked()[1]?.before).toBe(id(7));
    expect(numbers(runs()).slice(0, 6)).toEqual([9, 8, 7, 6, 5, 4]);
    readMore();
    await settled();
    expect(more()).toBe(false);
  });

  test("looks on where pages have few, until there is a page of runs", async () => {
    const pages: Record<string, unknown> = {
      "": { runs: [run(90)], next: id(80) },
      [id(80)]: { runs: [], next: id(70) },
      [id(70)]: { runs: [run(65), run(64)], next: id(60) },
    };
    world.answer = (query) => pages[(query as Query).before];
    const { runs, stopped } = list();
    await settled();

    expect(numbers(runs())).toEqual([90, 65, 64]);
    expect(stopped()).toBe(false);
  });

  test("stops after looking far enough, says how far, and goes on when asked", async () => {
    let page = 500;
    world.answer = () => ({ runs: [], next: id((page -= 10)) });
    const { runs, stopped, lookedTo, readMore, query } = list();
    await settled();
    const far = asked().length;

    expect([runs().length, stopped(), query.isFetching]).toEqual([0, true, false]);
    expect(far).toBe(10);
    expect(lookedTo()).toBeGreaterThan(0);
    readMore();
    await settled();
    expect(asked().length).toBe(2 * far);
  });

  test("what cannot be read is told, and read again from there when asked", async () => {
    serve(() => many(9, 1));
    const { runs, query, readMore } = list();
    await settled();
    world.answer = () => Promise.reject(new Error("away"));
    readMore();
    await settled();
    expect(query.error?.message).toBe("away");
    expect(runs()).toHaveLength(3);

    serve(() => many(9, 1));
    void query.refetch();
    await settled();

    expect(query.error).toBeNull();
    expect(asked().at(-1)?.before).toBe(id(7));
  });

  test("another filter keeps what fits until the server has told", async () => {
    const all = [run(9, { state: "FAILED" }), run(8), run(7, { state: "FAILED" }), run(6, { state: "FAILED" })];
    serve(() => all);
    const [filter, setFilter] = createSignal<RunsFilter>({});
    const { runs, query } = list(filter);
    await settled();

    setFilter({ state: ["FAILED"] });
    expect(numbers(runs())).toEqual([9, 7]);
    expect(query.data).toBeUndefined();
    await settled();

    expect(numbers(runs())).toEqual([9, 7, 6]);
  });

  test("an answer to a filter that is not asked for any more is nothing", async () => {
    const [filter, setFilter] = createSignal<RunsFilter>({ flow: "slow" });
    let answerSlow: (page: unknown) => void = () => {};
    world.answer = (query) =>
      (query as Query).flow === "slow"
        ? new Promise((resolve) => (answerSlow = resolve))
        : { runs: [run(2, { flow: "quick" })], next: "" };
    const { runs } = list(filter);
    await settled();
    setFilter({ flow: "quick" });
    await settled();

    answerSlow({ runs: [run(5, { flow: "slow" })], next: "" });
    await settled();

    expect(numbers(runs())).toEqual([2]);
  });
});

describe("what is told live", () => {
  test("changes runs in their places, and adds new ones at the top", async () => {
    serve(() => many(9, 1));
    const { runs } = list();
    await settled();

    tell("flow-runs", [run(8, { change: 50, state: "FAILED" }), run(10)]);

    expect(numbers(runs())).toEqual([10, 9, 8, 7]);
    expect(runs()[2]?.state).toBe("FAILED");
  });

  test("a run that does not fit any more goes, and comes when it does", async () => {
    serve(() => many(9, 1));
    const { runs } = list(() => ({ state: ["RUNNING"] }));
    await settled();

    tell("flow-runs", [run(8, { change: 50, state: "PAUSED" })]);
    expect(numbers(runs())).toEqual([9, 7]);
    tell("flow-runs", [run(8, { change: 51 })]);

    expect(numbers(runs())).toEqual([9, 8, 7]);
  });

  test("a run older than those that were read waits for its page", async () => {
    serve(() => many(9, 1));
    const { runs } = list();
    await settled();

    tell("flow-runs", [run(2, { change: 60 })]);

    expect(numbers(runs())).toEqual([9, 8, 7]);
  });

  test("a page that was on its way does not bring back what was told meanwhile", async () => {
    const page = many(9, 7);
    let answer: (told: unknown) => void = () => {};
    world.answer = () => new Promise((resolve) => (answer = resolve));
    const { runs } = list(() => ({ state: ["RUNNING"] }));
    await settled();

    tell("flow-runs", [run(8, { change: 50, state: "COMPLETED" }), run(10)]);
    tell("deleted", [id(7)]);
    answer({ runs: page, next: "" });
    await settled();

    expect(numbers(runs())).toEqual([10, 9]);
  });

  test("deleted runs go", async () => {
    serve(() => many(9, 1));
    const { runs } = list();
    await settled();

    tell("deleted", [id(9), "unknown"]);

    expect(numbers(runs())).toEqual([8, 7]);
  });

  test("after a reset a run is as it is read then, also with a smaller change number", async () => {
    let all = [run(3, { change: 900, state: "COMPLETED" })];
    serve(() => all);
    const { runs } = list();
    await settled();
    tell("flow-runs", [run(3, { change: 901, state: "FAILED" })]);

    all = [run(3, { change: 40 })];
    tell("reset", []);
    tell("flow-runs", [run(3, { change: 41, name: "told meanwhile" })]);
    await settled();

    expect(runs()).toMatchObject([{ state: "RUNNING", name: "told meanwhile" }]);
  });

  test("after a reset all that is shown is read anew, and stays until then", async () => {
    let all = many(9, 1);
    serve(() => all);
    const { runs, readMore } = list();
    await settled();
    readMore();
    await settled();
    const before = runs().length;
    all = [run(20), ...many(9, 5, { state: "COMPLETED" })];

    tell("reset", []);
    expect(runs()).toHaveLength(before);
    await settled();

    expect(numbers(runs())).toEqual([20, 9, 8, 7, 6, 5]);
    expect(runs()[1]?.state).toBe("COMPLETED");
  });

  test("subflow runs, of which nothing is told, are read a little later", async () => {
    let all = [run(9, { parent: id(8), root: id(8) }), run(8)];
    serve(() => all);
    const { runs } = list(() => ({ subflows: true }));
    await settled();
    all = [run(9, { parent: id(8), root: id(8), state: "COMPLETED", change: 80 }), run(8)];

    for (let n = 0; n < 20; n += 1) tell("flow-runs", [run(8, { change: 70 + n })]);
    await vi.advanceTimersByTimeAsync(2_000);

    expect(runs()[0]?.state).toBe("COMPLETED");
    expect(asked()).toHaveLength(2);
  });
});

describe("what is kept", () => {
  test("a list that one comes back to is there at once, and hears what it missed", async () => {
    serve(() => many(9, 1));
    const first = list(() => ({ flow: "daily" }));
    await settled();
    first.readMore();
    await settled();
    world.told = 77;
    const before = first.runs().length;
    first.end();
    world.asked = [];

    const { runs } = list(() => ({ flow: "daily" }));

    expect(runs()).toHaveLength(before);
    expect(world.caughtUp).toEqual([77]);
    await settled();
    expect(asked()).toEqual([]);
  });

  test("after a while it is read anew", async () => {
    serve(() => many(9, 1));
    const first = list(() => ({ flow: "old" }));
    await settled();
    world.told = 77;
    first.end();

    await vi.advanceTimersByTimeAsync(600_000);
    list(() => ({ flow: "old" }));

    expect(world.caughtUp).toEqual([]);
  });

  test("so it is after a reset, since its runs may be of another store", async () => {
    serve(() => many(9, 1));
    const first = list(() => ({ flow: "restored" }));
    await settled();
    world.told = 77;
    first.end();
    world.asked = [];

    world.resets = 1;
    const { runs } = list(() => ({ flow: "restored" }));
    const atFirst = runs();
    await settled();

    expect(atFirst).toEqual([]);
    expect(world.caughtUp).toEqual([]);
    expect(asked()).toHaveLength(1);
  });

  test("so is one whose last page was on its way", async () => {
    serve(() => many(9, 1));
    world.told = 77;
    list(() => ({ flow: "half" })).end();
    list(() => ({ flow: "half" }));

    expect(world.caughtUp).toEqual([]);
  });

  test("nothing grows for ever: the oldest runs go where there are too many", async () => {
    world.answer = () => ({ runs: [], next: "" });
    const { runs, more, isFull } = list();
    await settled();

    tell(
      "flow-runs",
      Array.from({ length: MOST + 50 }, (_, n) =>
        run(1, { id: `01a209b9-0000-7000-8000-${String(n).padStart(12, "0")}` }),
      ),
    );

    expect(runs()).toHaveLength(MOST);
    expect([isFull(), more()]).toEqual([true, true]);
  });
});
