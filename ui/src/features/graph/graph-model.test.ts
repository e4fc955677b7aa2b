import { expect, test } from "vitest";
import type { GraphShape, NodeShape } from "~/graph/dag/shown";
import { againAfter, byMatter, cellsOf, listed, within } from "./graph-model";

const call = (id: number, state = "COMPLETED") => ({ id: `${id}`, state, stateName: state, started: 0, ended: 0 });

test("of a large map the first calls are shown and all that went wrong, in their order", () => {
  const calls = Array.from({ length: 10_000 }, (_, at) => call(at, at === 9_000 ? "FAILED" : "COMPLETED"));

  const { calls: shown, more } = cellsOf(calls, 50);

  expect(shown.map(({ id }) => Number(id))).toEqual([...Array(49).keys(), 9_000]);
  expect(more).toBe(9_950);
});

test("a map of few calls is shown whole", () => {
  expect(cellsOf([call(1), call(2)], 50)).toEqual({ calls: [call(1), call(2)], more: 0 });
});

test("a list of calls has what went wrong first, then what is under way", () => {
  const calls = [call(1), call(2, "RUNNING"), call(3, "FAILED"), call(4), call(5, "CRASHED")];

  expect(byMatter(calls).map(({ id }) => id)).toEqual(["3", "5", "2", "1", "4"]);
});

test("a run has its subflows and theirs", () => {
  const subflows = [
    { id: "b", parent: "a" },
    { id: "c", parent: "x" },
    { id: "d", parent: "b" },
  ];

  expect([...within("a", subflows)]).toEqual(["a", "b", "d"]);
});

test("the list of nodes has what a subflow made below it, and what each comes after", () => {
  const node = (id: string, inside = "") => ({ id, name: `<${id}>`, within: inside }) as NodeShape;
  const graph: GraphShape = {
    title: "",
    nodes: [node("a"), node("sub"), node("b"), node("in", "sub")],
    edges: [{ source: "a", target: "in", takes: true, label: "", is_mapped: false }],
    note: "",
    tasks: [],
    flows: [],
  };

  expect(listed(graph).map(({ node, depth, after }) => [node.id, depth, after])).toEqual([
    ["a", 0, ""],
    ["sub", 0, ""],
    ["in", 1, "<a>"],
    ["b", 0, ""],
  ]);
  expect(listed(graph, "sub").map(({ node }) => node.id)).toEqual(["in"]);
});

test("a graph that grew is read at once, not often, and seldom where it does not help", () => {
  const reading = { took: 10, ago: 5_000, rounds: 0, fits: true };

  expect(againAfter(reading)).toBe(80);
  expect(againAfter({ ...reading, ago: 100 })).toBe(600);
  expect(againAfter({ ...reading, ago: 0, took: 1_000 })).toBe(4_000);
  expect(againAfter({ ...reading, ago: 0, rounds: 3, fits: false })).toBe(2_800);
  expect(againAfter({ ...reading, ago: 0, rounds: 30, fits: false })).toBe(15_000);
});
