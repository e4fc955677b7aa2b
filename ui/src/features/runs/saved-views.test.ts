import { expect, test } from "vitest";
import { GIVEN, MOST, areNamedViews, problemWith, renamed, saved } from "./saved-views";
import { ALL } from "./view";

const one = { name: "one", view: { ...ALL, text: "1" } };
const two = { name: "two", view: { ...ALL, text: "2" } };

test("a view is kept at the end, or in the place of one with its name", () => {
  expect(saved([one], "two", two.view)).toEqual([one, two]);
  expect(saved([one, two], "one", ALL)).toEqual([{ name: "one", view: ALL }, two]);
});

test("no more are kept than there is room for", () => {
  const many = Array.from({ length: MOST }, (_, n) => ({ ...one, name: String(n) }));

  expect(saved(many, "new", ALL)).toHaveLength(MOST);
});

test("a new name takes the place of another view of that name", () => {
  expect(renamed([one, two], "one", "two")).toEqual([{ ...one, name: "two" }]);
  expect(renamed([one, two], "one", "one")).toEqual([one, two]);
});

test("the views that everybody has keep their names", () => {
  expect(problemWith("running ")).toBeTruthy();
  expect(problemWith("  ")).toBeTruthy();
  expect(problemWith("Mine")).toBe("");
});

test("what another version kept, or somebody wrote there, does not come up", () => {
  expect(areNamedViews([...GIVEN])).toBe(true);
  expect(areNamedViews([])).toBe(true);
  for (const told of [null, {}, [null], [{ name: "x" }], [{ name: 1, view: ALL }], [{ name: "x", view: { text: "" } }]])
    expect(areNamedViews(told)).toBe(false);
  expect(areNamedViews([{ name: "x", view: { ...ALL, state: [1] } }])).toBe(false);
});
