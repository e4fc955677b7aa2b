import { expect, test } from "vitest";
import { laidOut } from "./plan";
import type { Box, Plan } from "./plan";

const node = (id: string, parent = "") => ({ id, parent, width: 100, height: 40 });

function plan(nodes: Plan["nodes"], links: Plan["links"], direction: Plan["direction"] = "right"): Plan {
  return { nodes, links, direction };
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

test("what comes later stands further right, or further down", () => {
  const nodes = ["a", "b", "c"].map((id) => node(id));
  const links: Plan["links"] = [
    ["a", "b"],
    ["b", "c"],
  ];

  const right = laidOut(plan(nodes, links)).boxes;
  const down = laidOut(plan(nodes, links, "down")).boxes;

  expect(["a", "b", "c"].map((id) => right.get(id)!.y)).toEqual([0, 0, 0]);
  expect(right.get("b")!.x).toBeGreaterThan(100);
  expect(right.get("c")!.x).toBeGreaterThan(right.get("b")!.x + 100);
  expect(["a", "b", "c"].map((id) => down.get(id)!.x)).toEqual([0, 0, 0]);
  expect(down.get("c")!.y).toBeGreaterThan(down.get("b")!.y + 40);
});

test("no two nodes lie upon each other, and all lie within the picture", () => {
  const nodes = Array.from({ length: 120 }, (_, at) => node(`n${at}`));
  const links = nodes.flatMap((_, at) => [
    [`n${Math.floor(at / 3)}`, `n${at}`] as const,
    [`n${(at * 7) % (at || 1)}`, `n${at}`] as const,
  ]);

  const { boxes, width, height } = laidOut(
    plan(
      nodes,
      links.filter(([a, b]) => a !== b),
    ),
  );

  const all = [...boxes.values()];
  expect(all.filter((one, at) => all.some((other, n) => n > at && overlaps(one, other)))).toEqual([]);
  expect(
    all.every((box) => box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height),
  ).toBe(true);
});

test("nodes without links stand in rows, in their order", () => {
  const { boxes, width, height } = laidOut(
    plan(
      Array.from({ length: 100 }, (_, at) => node(`n${at}`)),
      [],
    ),
  );

  expect(boxes.get("n1")!.x).toBeGreaterThan(boxes.get("n0")!.x);
  expect(boxes.get("n99")!.y).toBeGreaterThan(boxes.get("n0")!.y);
  expect(width / height).toBeGreaterThan(1);
  expect(width / height).toBeLessThan(3);
});

test("a group is around all that is in it, and links into it end at it", () => {
  const nodes = [node("a"), node("g"), node("x", "g"), node("y", "g"), node("z")];

  const { boxes, routes } = laidOut(
    plan(nodes, [
      ["a", "x"],
      ["x", "y"],
      ["y", "z"],
      ["a", "y"],
    ]),
  );

  const group = boxes.get("g")!;
  for (const id of ["x", "y"]) {
    const box = boxes.get(id)!;
    expect(box.x).toBeGreaterThan(group.x);
    expect(box.y + box.height).toBeLessThan(group.y + group.height);
  }
  expect(routes.map(({ source, target, links }) => [source, target, links]).toSorted()).toEqual([
    ["a", "g", [0, 3]],
    ["g", "z", [2]],
    ["x", "y", [1]],
  ]);
});

test("links that lead back make no circle: they are drawn from their source to their target all the same", () => {
  const { boxes, routes } = laidOut(
    plan(
      [node("a"), node("b")],
      [
        ["a", "b"],
        ["b", "a"],
      ],
    ),
  );

  const back = routes.find((route) => route.source === "b")!;
  expect(back.points.slice(-2)).toEqual([100, 20]);
  expect(back.points[0]).toBe(boxes.get("b")!.x);
});

test("the same plan is laid out the same, and a node that comes leaves the others in their layers", () => {
  const nodes = ["a", "b", "c"].map((id) => node(id));
  const links: Plan["links"] = [
    ["a", "b"],
    ["a", "c"],
  ];

  const before = laidOut(plan(nodes, links));
  const after = laidOut(plan([...nodes, node("d")], [...links, ["a", "d"]]));

  expect(laidOut(plan(nodes, links))).toEqual(before);
  expect(after.boxes.get("b")!.x).toBe(before.boxes.get("b")!.x);
  expect(after.boxes.get("d")!.y).toBeGreaterThan(after.boxes.get("c")!.y);
});

test("2,000 nodes with 4,000 links are laid out within a second", () => {
  const nodes = Array.from({ length: 2_000 }, (_, at) => node(`n${at}`));
  const links = nodes.flatMap((_, at) =>
    at < 20 ? [] : [3, 11].map((by) => [`n${(Math.floor(at / 20) - 1) * 20 + ((at * by) % 20)}`, `n${at}`] as const),
  );
  const begin = performance.now();

  laidOut(plan(nodes, links));

  // Much less, unless the machine has other things to do.
  expect(performance.now() - begin).toBeLessThan(3_000);
});
