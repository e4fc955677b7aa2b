// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";
import { Problem } from "~/lib/http";
import { Once } from "./once";

const away = new Problem(0, "", "The server cannot be reached. What is shown may be old.");
const refused = new Problem(422, "CallError", "Seconds are 0 to 3600.");

/** Asks, and returns the key that was sent; what the server said is thrown away. */
async function keyOf(once: Once, what: unknown[], said?: Error): Promise<string> {
  const request = vi.fn((_: { "Idempotency-Key": string }) => (said ? Promise.reject(said) : Promise.resolve("done")));
  await once.ask(what, request).catch(() => undefined);
  return request.mock.calls[0]![0]["Idempotency-Key"];
}

test("what was asked without an answer is the same request when it is asked again", async () => {
  const once = new Once();

  const first = await keyOf(once, ["cancel", "r", { force: false }], away);
  const again = await keyOf(once, ["cancel", "r", { force: false }]);

  expect(again).toBe(first);
});

test.each([
  ["another body", ["cancel", "r", { force: true }]],
  ["another run", ["cancel", "s", { force: false }]],
  ["another action", ["resume", "r", { force: false }]],
])("%s is another request, also where no answer came", async (_, other) => {
  const once = new Once();

  const first = await keyOf(once, ["cancel", "r", { force: false }], away);
  const changed = await keyOf(once, other);

  expect(changed).not.toBe(first);
});

test("what was answered, well or not, is asked anew when it is asked again", async () => {
  const once = new Once();
  const what = ["resume", "r", {}];

  const keys = [await keyOf(once, what), await keyOf(once, what, refused), await keyOf(once, what)];

  expect(new Set(keys).size).toBe(3);
});

test("the answer of one request does not end another that is open", async () => {
  const once = new Once();
  let answer!: () => void;
  const slow = once.ask(["resume", "r", {}], () => new Promise<void>((done) => (answer = done)));
  const open = await keyOf(once, ["cancel", "r", {}], away);
  answer();
  await slow;

  expect(await keyOf(once, ["cancel", "r", {}])).toBe(open);
});
