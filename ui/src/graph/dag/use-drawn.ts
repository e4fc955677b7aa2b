/** Lays out what is shown, again when its structure changes, and never for states alone. */

import { createEffect, createSignal, on, onCleanup } from "solid-js";
import type { Accessor } from "solid-js";
import type { Drawn } from "./drawn";
import { createLayouter } from "./layouter";
import type { Direction } from "./plan";
import type { Shown } from "./shown";
import { keyOf, planOf } from "./sizes";

/** Milliseconds in which nodes move to their new places. */
const SETTLING = 320;

/** What is drawn, `undefined` until it is laid out first; `isSettling` while nodes move to their places. */
export function createDrawn(
  shown: Accessor<Shown>,
  direction: Accessor<Direction>,
  onChange: (before: Drawn | undefined, now: Drawn) => void,
): { drawn: Accessor<Drawn | undefined>; isSettling: Accessor<boolean> } {
  const [drawn, setDrawn] = createSignal<Drawn>();
  const [isSettling, setSettling] = createSignal(false);
  let settled: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(settled));
  let drawnKey = "";
  let asked: { key: string; shown: Shown; direction: Direction } | undefined;
  const lay = createLayouter((laid) => {
    if (!asked) return;
    const before = drawn();
    const now = { shown: asked.shown, direction: asked.direction, laid };
    drawnKey = asked.key;
    asked = undefined;
    if (before) {
      setSettling(true);
      clearTimeout(settled);
      settled = setTimeout(() => setSettling(false), SETTLING);
    }
    setDrawn(now);
    onChange(before, now);
  });
  createEffect(
    on([shown, direction], ([shown, direction]) => {
      const plan = planOf(shown, direction);
      const key = keyOf(plan);
      const standing = drawn();
      if (standing && key === drawnKey) {
        asked = undefined;
        setDrawn({ ...standing, shown });
      } else {
        if (asked?.key !== key) lay(plan);
        asked = { key, shown, direction };
      }
    }),
  );
  return { drawn, isSettling };
}
