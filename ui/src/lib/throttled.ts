/** Doing something at most so often. */

import { getOwner, onCleanup } from "solid-js";

/**
 * A function that does `run` at once, and when it is called again within `period` milliseconds, once more at their end.
 * Nothing is done after the component that made it is gone.
 */
export function throttled(run: () => void, period: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  const over = () => {
    timer = undefined;
    if (again) go();
  };
  const go = () => {
    again = false;
    timer = setTimeout(over, period);
    run();
  };
  if (getOwner()) onCleanup(() => clearTimeout(timer));
  return () => {
    if (timer === undefined) go();
    else again = true;
  };
}
