import { expect, it } from "vitest";
import type { Outcome } from "~/data/flow-list";
import { heightsOf, stripTold } from "./strip";

function took(seconds: number, state = "COMPLETED"): Outcome {
  return ["id", state, state, 100, 100, seconds < 0 ? 0 : 100 + seconds, 1];
}

it("gives the longest run the whole height and none less than can be seen", () => {
  expect(heightsOf([took(0), took(100), took(25)], 200).map((one) => one.toFixed(2))).toEqual(["0.30", "1.00", "0.65"]);
});

it("lets what runs be as high as it has taken until now", () => {
  expect(heightsOf([took(-1, "RUNNING"), took(25)], 200).map((one) => one.toFixed(2))).toEqual(["1.00", "0.65"]);
});

it("has bars of one height where nothing took any time", () => {
  expect(heightsOf([took(0), took(0)], 200)).toEqual([1, 1]);
});

it("says how many of the runs came to what", () => {
  expect(stripTold([took(1), took(1), took(1, "FAILED")])).toBe("Newest 3 runs: 1 failed, 2 completed");
  expect(stripTold([took(1)])).toBe("Newest run: 1 completed");
});
