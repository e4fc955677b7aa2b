import { expect, test } from "vitest";
import type { GraphShape, NodeShape } from "./shown";
import { counted, fitsCalls, nodeOfEach, progress, shining, spans, tallies, told } from "./tally";
import type { Call } from "./tally";

function a(id: string, more: Partial<NodeShape> = {}): NodeShape {
  const plain = { count: 1, is_flow: false, is_map: false, is_parameter: false, states: {}, state: "", remark: "" };
  return { id, name: id, within: "", ...plain, ...more };
}

function call(id: string, state: string, started = 0, ended = 0): Call {
  return { id, state, stateName: state, started, ended };
}

const graph: GraphShape = {
  title: "",
  nodes: [a("1"), a("2", { is_flow: true }), a("3", { within: "2", count: 3 })],
  edges: [],
  note: "",
  tasks: [0, 1, 2, 3],
  flows: [1, 1],
};
const tasks = [
  call("1", "COMPLETED", 10, 12),
  call("3", "COMPLETED", 10, 11),
  call("4", "FAILED", 10, 15),
  call("5", "RUNNING", 14),
];

test("the node of each call is told as nodes and how many calls follow", () => {
  expect([...nodeOfEach([0, 1, 2, 3])]).toEqual([0, 2, 2, 2]);
  expect([...nodeOfEach([])]).toEqual([]);
});

test("calls fit a graph when the first of each node is the one that it is named after", () => {
  const nodes = nodeOfEach(graph.tasks);

  expect(fitsCalls(graph, nodes, tasks, false)).toBe(true);
  expect(fitsCalls(graph, nodes, [...tasks, call("6", "PENDING")], false)).toBe(true);
  expect(fitsCalls(graph, nodes, [call("0", "PENDING"), ...tasks], false)).toBe(false);
  expect(fitsCalls(graph, nodes, tasks.slice(1), false)).toBe(false);
});

test("a node has the worst state of its calls, and a subflow shows what went wrong within it", () => {
  const of = (state: string) =>
    tallies(
      graph,
      { calls: tasks, nodeOf: nodeOfEach(graph.tasks) },
      { calls: [call("2", state)], nodeOf: nodeOfEach(graph.flows) },
    );

  const [one, sub, several] = of("COMPLETED");

  expect([one!.state, sub!.state, several!.state]).toEqual(["COMPLETED", "COMPLETED", "FAILED"]);
  expect(shining(sub!)).toBe("FAILED");
  expect(shining(of("CRASHED")[1]!)).toBe("CRASHED");
  expect(counted(sub!).counts).toEqual({ COMPLETED: 1, FAILED: 1, RUNNING: 1 });
});

test("progress tells how many are done, and of those how many went wrong", () => {
  const several = tallies(graph, { calls: tasks, nodeOf: nodeOfEach(graph.tasks) }, undefined)[2]!;

  expect(progress(several)).toBe("2/3, 1 failed");
});

test("durations are those of what ended, or of what has run for longest", () => {
  const [one, , several] = tallies(graph, { calls: tasks, nodeOf: nodeOfEach(graph.tasks) }, undefined);

  expect(spans(one!, 100)).toBe("2.0 s");
  expect(spans(several!, 20)).toBe("6.0 s");
});

test("without its calls a node says what the server said, and does not guess what a name stands for", () => {
  expect(told(a("1", { count: 3, states: { Completed: 2, Failed: 1 }, state: "FAILED" })).counts).toEqual({
    COMPLETED: 2,
    FAILED: 1,
  });
  expect(told(a("1", { count: 3, states: { Cached: 3 }, state: "COMPLETED" })).counts).toEqual({ COMPLETED: 3 });
  expect(told(a("1", { count: 3, states: { Cached: 2, Failed: 1 }, state: "FAILED" })).total).toBe(0);
});
