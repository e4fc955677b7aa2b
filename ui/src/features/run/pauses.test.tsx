// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}
import { expect, test, vi } from "vitest";
import { render } from "solid-js/web";
import type { FullRun } from "~/data/run";
import { living, seen, useServer } from "~/data/server.fixture";
import { Pauses } from "./pauses";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

const server = useServer();
const run = { id: "a", root: "a", parent: null, state: "PAUSED" } as FullRun;
const pause = (description: string) => ({
  ...{ run: "a", key: "approve", description, schema: null, initial: null, is_open: true },
  ...{ asked: "2026-11-23T18:00:00Z", deadline: null, answered: null, answer: null, by: "", refused: "" },
});

test("what a pause says of itself is laid out as the texts of artifacts are, and nothing of it runs", async () => {
  server.answers.set("/api/me", { name: "ada", permissions: ["read"] });
  server.answers.set("/api/flow-runs/a/pauses", [
    pause("May it be **published**?\n\n- [the report](https://example.org/)\n\n<img src=x onerror=alert(1)>"),
  ]);
  const page = document.createElement("main");
  living(() => render(() => <Pauses run={run} root={run} />, page));

  await seen(() => expect(page.querySelector("strong")?.textContent).toBe("published"));

  expect(page.querySelector("li a")?.getAttribute("href")).toBe("https://example.org/");
  expect(page.querySelector("[onerror]")).toBeNull();
});
