// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}
import { MemoryRouter, Route } from "@solidjs/router";
import { createSignal } from "solid-js";
import { render } from "solid-js/web";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RunProvider, createRunData } from "~/data/run";
import type { FullRun } from "~/data/run";
import { living, seen, useServer } from "~/data/server.fixture";
import { ActionDialogs } from "./action-dialogs";
import type { Action } from "./actions-model";
import { DialogsProvider, createDialogs } from "./dialogs";
import type { Asking, Dialogs } from "./dialogs";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

const server = useServer();
const ALL = new Set<Action>(["cancel", "resume", "retry", "again", "delete"]);
const run = (state: string) =>
  ({ id: "a", root: "a", parent: null, name: "calm-mayfly-18", flow: "etl", state, attempt: 1, tasks: { failed: 2 }, tags: [], parameters: {}, change: 1 }) as unknown as FullRun; // prettier-ignore

let warned: unknown[][];
beforeEach(() => {
  warned = [];
  vi.spyOn(console, "warn").mockImplementation((...told) => void warned.push(told));
});
afterEach(() => vi.restoreAllMocks());

/** The dialogs of a run, of which the test says how it is. */
async function dialogsOf(state: string) {
  server.answers.set("/api/flow-runs/a", run(state));
  server.answers.set("/api/flow-runs/a/timeline", { bars: [], next: "" });
  const page = document.body.appendChild(document.createElement("main"));
  const [now, setNow] = createSignal(run(state));
  const [possible, setPossible] = createSignal(ALL);
  let dialogs!: Dialogs;
  const Page = () => {
    dialogs = createDialogs();
    return (
      <RunProvider value={createRunData(() => "a")}>
        <DialogsProvider value={dialogs}>
          <ActionDialogs run={now()} root={now()} possible={possible()} />
        </DialogsProvider>
      </RunProvider>
    );
  };
  living(() =>
    render(
      () => (
        <MemoryRouter>
          <Route path="*" component={Page} />
        </MemoryRouter>
      ),
      page,
    ),
  );
  await seen(() => expect(dialogs).toBeDefined());
  const button = (name: string) =>
    [...page.querySelectorAll("button")].find((one) => one.textContent.startsWith(name))!;
  return { page, dialogs, button, setNow, setPossible };
}

test.each<[Asking, string]>([
  ["cancel", "Cancel"],
  ["resume", "Resume"],
  ["retry", "Run again from it"],
  ["same", "Start"],
  ["again", "Start"],
  ["delete", "Delete it"],
])("what is computed for the dialog %s goes with it", async (which, does) => {
  const { dialogs, button, page, setPossible } = await dialogsOf("FAILED");

  dialogs.ask(which);
  await seen(() => expect(button(does)).toBeDefined());
  for (const box of page.querySelectorAll<HTMLInputElement>("input[type=checkbox]")) box.click();
  button(does)?.click();
  await new Promise((done) => setTimeout(done, 30));
  setPossible(new Set<Action>());
  dialogs.close();
  await seen(() => expect(page.querySelector("[open]")).toBeNull());

  expect(warned).toEqual([]);
});
