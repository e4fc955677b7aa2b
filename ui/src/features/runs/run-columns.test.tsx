// @vitest-environment happy-dom
import { createRoot } from "solid-js";
import { expect, test, vi } from "vitest";
import type { Run } from "~/data/runs";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

const { cardHeight, runCard } = await import("./run-columns");

const run = (tags: string[]) =>
  ({ id: "a", name: "calm-mayfly-18", flow: "etl", state: "FAILED", tags, tasks: {}, parameters: {}, message: "" }) as unknown as Run; // prettier-ignore

/** The words of a card. */
function told(one: Run): string {
  return createRoot((end) => {
    const page = document.createElement("main");
    page.append(runCard(one, undefined) as Node);
    end();
    return page.textContent;
  });
}

test("where there is no room for columns a run shows its tags too", () => {
  expect(told(run(["nightly", "warehouse"]))).toContain("nightlywarehouse");
});

test("cards have room for tags where runs have some", () => {
  const had = { tags: false, parameters: true, messages: true };

  expect(cardHeight({ ...had, tags: true })).toBeGreaterThan(cardHeight(had));
});
