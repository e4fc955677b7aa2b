import { expect, test } from "vitest";
import { centredOn, fitted, held, revealed, zoomed } from "./camera";
import { neighbour, nodeAt, nodesIn } from "./drawn";
import type { Drawn } from "./drawn";
import { laidOut } from "./plan";
import { shownOf } from "./shown";
import type { NodeShape } from "./shown";
import { planOf } from "./sizes";

function drawn(): Drawn {
  const nodes = ["a", "b", "c", "d"].map(
    (id) => ({ id, name: id, count: 1, is_flow: false, is_map: false, within: "", states: {} }) as unknown as NodeShape,
  );
  const edges = [
    ["a", "b"],
    ["a", "c"],
    ["b", "d"],
    ["c", "d"],
  ].map(([source, target]) => ({ source: source!, target: target!, takes: true, label: "", is_mapped: false }));
  const shown = shownOf({ title: "", nodes, edges, note: "", tasks: [], flows: [] }, new Set());
  return { shown, laid: laidOut(planOf(shown, "right")), direction: "right" };
}

test("arrow keys go along links, and to what lies beside", () => {
  const one = drawn();

  expect(["b", "c"]).toContain(neighbour(one, "a", "ArrowRight"));
  expect(neighbour(one, "d", "ArrowRight")).toBeUndefined();
  expect(neighbour(one, "b", "ArrowLeft")).toBe("a");
  expect(neighbour(one, "b", "ArrowDown")).toBe("c");
  expect(neighbour(one, "c", "ArrowUp")).toBe("b");
});

test("a node is found at a point, and in a part of the picture", () => {
  const one = drawn();
  const box = one.laid.boxes.get("d")!;

  expect(nodeAt(one, box.x + 5, box.y + 5)).toBe("d");
  expect(nodeAt(one, -5, -5)).toBeUndefined();
  expect(nodesIn(one, { ...box, width: 1, height: 1 })).toEqual(["d"]);
});

test("what is under the pointer stays there while one zooms", () => {
  const before = { x: 30, y: 40, k: 0.5 };

  const after = zoomed(before, 2, 100, 80);

  expect(after.k).toBe(1);
  expect((100 - after.x) / after.k).toBe((100 - before.x) / before.k);
  expect((80 - after.y) / after.k).toBe((80 - before.y) / before.k);
  expect(zoomed(before, 1e9, 0, 0).k).toBe(2.5);
});

test("a picture that is fitted is whole, in the middle, and never larger than it is", () => {
  const view = { width: 800, height: 600 };

  expect(fitted({ width: 100, height: 50 }, view)).toEqual({ k: 1, x: 350, y: 275 });
  expect(fitted({ width: 7440, height: 50 }, view).k).toBe(0.1);
});

test("a picture cannot be lost: something of it stays in sight", () => {
  const [picture, view] = [
    { width: 1000, height: 500 },
    { width: 800, height: 600 },
  ];

  expect(held({ x: 5_000, y: -9_000, k: 1 }, picture, view)).toEqual({ x: 740, y: -440, k: 1 });
});

test("the camera moves to a box only where that is out of sight", () => {
  const view = { width: 800, height: 600 };
  const camera = { x: 0, y: 0, k: 1 };

  expect(revealed(camera, { x: 100, y: 100, width: 50, height: 50 }, view)).toBe(camera);
  expect(revealed(camera, { x: 900, y: 100, width: 50, height: 50 }, view)).toEqual({ x: -174, y: 0, k: 1 });
  expect(centredOn({ x: 100, y: 100, width: 200, height: 100 }, view, 1)).toEqual({ x: 200, y: 150, k: 1 });
});
