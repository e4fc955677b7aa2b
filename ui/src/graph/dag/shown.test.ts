import { expect, test } from "vitest";
import { coneOf, found, shownOf } from "./shown";
import type { GraphShape, NodeShape } from "./shown";

function a(id: string, more: Partial<NodeShape> = {}): NodeShape {
  const plain = { count: 1, is_flow: false, is_map: false, is_parameter: false, states: {}, state: "", remark: "" };
  return { id, name: id, within: "", ...plain, ...more };
}

function graph(nodes: NodeShape[], links: [string, string][]): GraphShape {
  const edges = links.map(([source, target]) => ({ source, target, takes: true, label: "", is_mapped: false }));
  return { title: "", nodes, edges, note: "", tasks: [], flows: [] };
}

const nested = graph(
  [
    a("load"),
    a("sub", { is_flow: true }),
    a("fit", { within: "sub" }),
    a("deep", { is_flow: true, within: "sub" }),
    a("score", { within: "deep" }),
    a("end"),
  ],
  [
    ["load", "fit"],
    ["sub", "deep"],
    ["deep", "score"],
    ["fit", "score"],
    ["score", "end"],
  ],
);

const ids = (open: string[], root = "") => shownOf(nested, new Set(open), root).nodes.map(({ node }) => node.id);
const links = (open: string[]) => shownOf(nested, new Set(open)).links.map(({ source, target }) => [source, target]);

test("a subflow is one node, with the links of all that is in it", () => {
  expect(ids([])).toEqual(["load", "sub", "end"]);
  expect(links([])).toEqual([
    ["load", "sub"],
    ["sub", "end"],
  ]);
});

test("an open subflow shows its own calls, whose subflows are folded until they are opened", () => {
  expect(ids(["sub"])).toEqual(["load", "sub", "fit", "deep", "end"]);
  expect(ids(["sub", "deep"])).toEqual(["load", "sub", "fit", "deep", "score", "end"]);
  expect(links(["sub"])).toEqual([
    ["load", "fit"],
    ["fit", "deep"],
    ["deep", "end"],
  ]);
});

test("what is open within a folded subflow stays folded with it", () => {
  expect(ids(["deep"])).toEqual(["load", "sub", "end"]);
});

test("of a subflow's own page only what it made is shown", () => {
  expect(ids([], "sub")).toEqual(["fit", "deep"]);
});

test("subflows and maps of several can be opened, and nothing else", () => {
  const shown = shownOf(graph([a("m", { is_map: true, count: 9 }), a("n", { count: 9 })], []), new Set(["m", "n"]));

  expect(shown.nodes.map(({ opens, isOpen }) => [opens, isOpen])).toEqual([
    [true, true],
    [false, false],
  ]);
});

test("a node's cone is what comes before and after it, not what else comes after those before it", () => {
  const fork = graph(
    ["a", "b", "c", "d"].map((id) => a(id)),
    [
      ["a", "b"],
      ["a", "c"],
      ["c", "d"],
    ],
  );

  expect([...coneOf(shownOf(fork, new Set()), "c")].toSorted()).toEqual(["a", "c", "d"]);
});

test("what is looked for and folded away is found in what it is folded into", () => {
  expect([...found(nested, shownOf(nested, new Set()), " SCO ")]).toEqual(["sub"]);
  expect([...found(nested, shownOf(nested, new Set()), "")]).toEqual([]);
});
