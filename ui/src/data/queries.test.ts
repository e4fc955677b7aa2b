// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}
import { QueryClient, QueryObserver } from "@tanstack/solid-query";
import { expect, test, vi } from "vitest";
import { tell } from "~/lib/live.fixture";
import { forgetOnReset, lookAgain } from "./queries";
import { living, seen } from "./server.fixture";

vi.mock("~/lib/live", () => import("~/lib/live.fixture"));

/** A query whose answers come when the test says so. */
function slow() {
  const answers: (() => void)[] = [];
  const query = {
    asked: 0,
    get isFetching() {
      return answers.length > 0;
    },
    refetch: () => {
      // What is on its way is not asked for a second time.
      if (!answers.length) query.asked += 1;
      return new Promise<void>((done) => answers.push(done));
    },
  };
  const answer = async () => {
    for (const done of answers.splice(0)) done();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { query, answer };
}

test("however often one looks again while it is read, it is read once more after that", async () => {
  const { query, answer } = slow();
  const again = lookAgain(query);

  for (let n = 0; n < 5; n += 1) again();
  expect(query.asked).toBe(1);
  await answer();
  expect(query.asked).toBe(2);
  await answer();

  expect(query.asked).toBe(2);
  again();
  expect(query.asked).toBe(3);
});

test("what was on its way before is waited for, and asked for again", async () => {
  const { query, answer } = slow();
  void query.refetch();

  lookAgain(query)();
  expect(query.asked).toBe(1);
  await answer();

  expect(query.asked).toBe(2);
});

test("whoever is gone does not look again", async () => {
  const { query, answer } = slow();
  const { value: again, end } = living(() => lookAgain(query));
  again();
  again();

  end();
  await answer();

  expect(query.asked).toBe(1);
});

test("a reset lets go of answers that nobody shows, and of no others", async () => {
  const client = new QueryClient();
  client.setQueryData(["closed"], 1);
  client.setQueryData(["shown"], 2);
  const stop = new QueryObserver(client, { queryKey: ["shown"], enabled: false }).subscribe(() => undefined);
  living(() => forgetOnReset(client));

  tell("reset");

  await seen(() => expect(client.getQueryData(["closed"])).toBeUndefined());
  expect(client.getQueryData(["shown"])).toBe(2);
  stop();
});
