// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}
import { afterEach, expect, test, vi } from "vitest";
import { living, useServer } from "~/data/server.fixture";
import { tell } from "~/lib/live.fixture";
import { utc } from "~/lib/times";
import { useWaiting } from "./home-data";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

const server = useServer();
const PATH = "/api/waiting";
const run = (id: string, state: string) => ({ id, parent: null, state, state_name: state, attempt: 1, ended: null });
const serve = (...waiting: object[]) => server.answers.set(PATH, { waiting, more: 0, is_cut: false });
const one = (ago: number, late?: number) => ({
  run: run("w", "PAUSED"),
  since: utc(Date.now() / 1000 - ago),
  late_from: late === undefined ? null : utc(Date.now() / 1000 + late),
  why: [],
});

/** Begins at a time of its own. */
async function waits(...waiting: object[]) {
  serve(...waiting);
  const made = living(useWaiting);
  await vi.advanceTimersByTimeAsync(10);
  return made;
}
const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

vi.useFakeTimers({ now: 1_800_000_000_000 });
afterEach(() => void vi.restoreAllMocks());

test("while nothing waits nothing is asked", async () => {
  await waits();

  await pass(3_600);

  expect(server.times(PATH)).toBe(1);
});

test("what has waited for long is looked at every five minutes", async () => {
  await waits(one(7_200));

  await pass(3_600);

  expect(server.times(PATH)).toBe(13);
});

test("what is to be late is looked at when it is", async () => {
  await waits(one(7_200, 30));

  await pass(29);
  expect(server.times(PATH)).toBe(1);
  await pass(3);

  expect(server.times(PATH)).toBe(2);
});

test("a run that ends may be what another waits for; where nothing waits its end changes nothing", async () => {
  await waits(one(7_200));
  tell("flow-runs", [run("other", "COMPLETED")]);
  await pass(1);
  expect(server.times(PATH)).toBe(2);

  serve();
  tell("flow-runs", [run("w", "COMPLETED")]);
  await pass(2);
  expect(server.times(PATH)).toBe(3);
  tell("flow-runs", [run("third", "COMPLETED")]);
  await pass(2);

  expect(server.times(PATH)).toBe(3);
});

test("a page that nobody sees asks nothing, and once when it is seen", async () => {
  await waits(one(7_200));
  const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  await pass(3_600);
  expect(server.times(PATH)).toBe(1);

  hidden.mockReturnValue(false);
  document.dispatchEvent(new Event("visibilitychange"));
  await pass(1);

  expect(server.times(PATH)).toBe(2);
});

test("it is asked again after an answer that did not come, and not any more once it is gone", async () => {
  const { end } = await waits(one(7_200));
  server.answers.set(PATH, () => Response.error());
  await pass(301);
  expect(server.times(PATH)).toBe(2);
  await pass(301);
  expect(server.times(PATH)).toBe(3);

  end();
  await pass(3_600);

  expect(server.times(PATH)).toBe(3);
});
