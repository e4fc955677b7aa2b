import { expect, test, vi } from "vitest";
import { aPiece } from "~/graph/timeline/pieces.fixture";
import type { TaskRow } from "~/data/tasks";

// What asks the server knows the page that it stands in, which is not there in these tests.
vi.stubGlobal("document", { baseURI: "http://nadi/" });
vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined }));
const { below, triesOf } = await import("./beside");

const row = (told: Partial<TaskRow>) => ({ ...aPiece(), mapIndex: -1, change: 1, ...told }) as TaskRow;

test("attempts are read anew when one more is over, and not when a task merely ends", () => {
  expect(triesOf([row({}), row({ started: 1, ended: 2 })])).toBe(0);
  expect(triesOf([row({ state: "SCHEDULED", started: 0 })])).toBe(0);
  expect(triesOf([row({ state: "SCHEDULED", started: 1 })])).toBe(1);
  expect(triesOf([row({ attempt: 2, state: "RUNNING" }), row({ attempt: 3 })])).toBe(3);
});

test("of the subflows of the outermost run those below a run are shown", () => {
  const flow = (id: string, run: string) => aPiece({ id, run, isFlow: true });
  const all = [flow("a", "root"), flow("b", "root"), flow("aa", "a"), flow("ba", "b"), flow("aaa", "aa")];

  expect(below("root", all)).toEqual(all);
  expect(below("a", all).map((one) => one.id)).toEqual(["aa", "aaa"]);
});
