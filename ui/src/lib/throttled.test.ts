import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { throttled } from "./throttled";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("the first call is done at once, and many more within the time are done once at its end", () => {
  const done = vi.fn();
  const call = throttled(done, 1_000);

  for (let n = 0; n < 500; n += 1) call();
  expect(done).toHaveBeenCalledTimes(1);

  vi.advanceTimersByTime(1_000);
  expect(done).toHaveBeenCalledTimes(2);
});

test("nothing more is done when nobody called again", () => {
  const done = vi.fn();
  throttled(done, 1_000)();

  vi.advanceTimersByTime(10_000);

  expect(done).toHaveBeenCalledTimes(1);
});

test("calls without an end are done once a period", () => {
  const done = vi.fn();
  const call = throttled(done, 1_000);

  for (let n = 0; n < 100; n += 1) {
    call();
    vi.advanceTimersByTime(100);
  }

  expect(done.mock.calls.length).toBeLessThanOrEqual(11);
});
