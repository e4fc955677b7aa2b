import { expect, test } from "vitest";
import { aPiece, aTry, ran } from "~/graph/timeline/pieces.fixture";
import { NOTHING_TRIED } from "~/graph/timeline/model";
import { layOut } from "~/graph/timeline/rows";
import { thingAt } from "~/graph/timeline/spots";
import { spoken, statesIn } from "./words";

const how = { tried: NOTHING_TRIED, isOpen: () => false, rowHeight: 20, room: 0 };

test("a bar is told with its state, when it began and how long it took", () => {
  const { rows } = layOut([ran("load-0", 12, 15)], { ...how, by: "start" });

  expect(spoken(thingAt({ rows } as never, { row: 0, lane: 0, place: 0 })!, undefined, 10, 99)).toBe(
    "load-0, Completed, from 2.0 s after the start, took 3.0 s.",
  );
});

test("an attempt that failed is told with its number and what it said", () => {
  const piece = ran("load-0", 20, 25, { attempt: 3 });
  const at = aTry({ attempt: 2, started: 14, ended: 15, message: "boom" });
  const { rows } = layOut([piece], { ...how, by: "start" });

  expect(spoken({ row: rows[0]!, piece, at }, [at], 10, 99)).toBe(
    "load-0, Failed, attempt 2 of 3, from 4.0 s after the start, took 1.0 s, boom.",
  );
});

test("a group is told with how many there are in which state", () => {
  const pieces = [ran("a", 1, 2), ran("b", 1, 2, { state: "FAILED" }), ran("c", 1, 2)];
  const { rows } = layOut(
    pieces.map((piece) => ({ ...piece, task: "load" })),
    { ...how, by: "task" },
  );

  expect(spoken({ row: rows[0]! }, undefined, 0, 9)).toBe("Group load, folded, 3 runs: 1 failed, 2 completed.");
  expect(statesIn([])).toBe("");
});

test("what has not begun is told so, and hostile names turn nothing around", () => {
  const piece = aPiece({ name: "\u202eevil\u0000", state: "PENDING", stateName: "Pending", created: 5 });
  const { rows } = layOut([piece], { ...how, by: "start" });

  expect(spoken({ row: rows[0]!, piece }, undefined, 5, 9)).toBe(" evil , Pending, not begun.");
});
