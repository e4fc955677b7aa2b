import { expect, test } from "vitest";
import { layersOf, ranksOf } from "./layers";

test("a node stands behind all that comes before it, and not further ahead of its only follower than it must", () => {
  const links = [
    [0, 1],
    [1, 3],
    [2, 3],
  ] as const;

  expect(ranksOf({ count: 4, links })).toEqual([0, 1, 1, 2]);
});

test("a link that passes layers has a bend in each, and links of one source share theirs", () => {
  const links = [
    [0, 1],
    [1, 2],
    [2, 3],
    [0, 2],
    [0, 3],
  ] as const;

  const { bends, rank } = layersOf({ count: 4, links });

  expect(bends[3]).toEqual(bends[4]!.slice(0, 1));
  expect(bends[4]!.map((bend) => rank[bend])).toEqual([1, 2]);
});

test("what can be drawn without a crossing is", () => {
  // Two parents, whose children come in the wrong order.
  const { layers } = layersOf({
    count: 6,
    links: [
      [0, 3],
      [0, 5],
      [1, 2],
      [1, 4],
    ],
  });

  const order = layers[1]!;
  const halves = [order.slice(0, 2).toSorted(), order.slice(2).toSorted()];
  expect(halves.toSorted((a, b) => a[0]! - b[0]!)).toEqual([
    [2, 4],
    [3, 5],
  ]);
});

test("links that would need bends without end are drawn straight", () => {
  const count = 2_000;
  const links = Array.from({ length: count - 1 }, (_, at) => [at, at + 1] as const);
  const long = Array.from({ length: count - 2 }, (_, at) => [at, count - 1] as const);

  const { bends, rank } = layersOf({ count, links: [...links, ...long] });

  expect(rank.length).toBeLessThan(count + 12_001);
  expect(bends.some((one) => one === undefined)).toBe(true);
});
