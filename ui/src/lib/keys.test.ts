// @vitest-environment happy-dom
import { createRoot } from "solid-js";
import { beforeEach, expect, test, vi } from "vitest";
import { onKey, shortcuts, useKeys } from "./keys";
import type { Shortcut } from "./keys";

let at = 0;

function press(key: string, more: { target?: HTMLElement; after?: number } & KeyboardEventInit = {}): KeyboardEvent {
  at += more.after ?? 10;
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  Object.defineProperty(event, "timeStamp", { value: at });
  Object.defineProperty(event, "target", { value: more.target ?? document.body });
  onKey(event);
  return event;
}

/** Offer keys; returns what ends the offer. */
function offer(...keys: Shortcut[]): () => void {
  return createRoot((end) => {
    useKeys(...keys);
    return end;
  });
}

beforeEach(() => {
  at += 10_000;
  document.body.innerHTML = "";
});

test("a key does what is offered, and nothing once that is gone", async () => {
  const run = vi.fn<() => void>();
  const end = offer({ keys: "f", does: "filter", run });
  await Promise.resolve();

  expect(press("f").defaultPrevented).toBe(true);
  end();
  press("f");

  expect(run).toHaveBeenCalledTimes(1);
  expect(shortcuts()).toEqual([]);
});

test("two keys after each other are one, unless the second comes late", async () => {
  const [both, single] = [vi.fn<() => void>(), vi.fn<() => void>()];
  const end = offer({ keys: "g f", does: "flows", run: both }, { keys: "f", does: "filter", run: single });
  await Promise.resolve();

  press("g");
  press("f", { after: 500 });
  press("g");
  press("f", { after: 2_000 });

  expect([both.mock.calls.length, single.mock.calls.length]).toEqual([1, 1]);
  end();
});

test("of the same keys those that were offered last count", async () => {
  const [older, newer] = [vi.fn<() => void>(), vi.fn<() => void>()];
  const endOlder = offer({ keys: "c", does: "one", run: older });
  const endNewer = offer({ keys: "c", does: "other", run: newer });
  await Promise.resolve();

  press("c");

  expect([older.mock.calls.length, newer.mock.calls.length]).toEqual([0, 1]);
  endOlder();
  endNewer();
});

test.each(["input", "textarea", "select"])("keys belong to what one writes in: %s", async (tag) => {
  const run = vi.fn<() => void>();
  const end = offer({ keys: "x", does: "select", run });
  await Promise.resolve();

  press("x", { target: document.createElement(tag) });

  expect(run).not.toHaveBeenCalled();
  end();
});

test("a checkbox is nothing to write in", async () => {
  const run = vi.fn<() => void>();
  const end = offer({ keys: "x", does: "select", run });
  await Promise.resolve();
  const box = document.createElement("input");
  box.type = "checkbox";

  press("x", { target: box });

  expect(run).toHaveBeenCalledTimes(1);
  end();
});

test("keys of the browser, and those under an open dialog, are left alone", async () => {
  const run = vi.fn<() => void>();
  const end = offer({ keys: "c", does: "cancel", run });
  await Promise.resolve();

  press("c", { ctrlKey: true });
  press("c", { metaKey: true });
  document.body.innerHTML = "<dialog open></dialog>";
  press("c");

  expect(run).not.toHaveBeenCalled();
  end();
});
