/** Which part of the axis is seen: all of it, its end while that goes on, or what one has chosen. */

import { createEffect, createSignal, on, onCleanup } from "solid-js";
import type { Accessor } from "solid-js";
import type { Axis } from "~/graph/timeline/axis";
import { FREE, atEnd, kept, panned, showing, whole, zoomed } from "~/graph/timeline/view";
import type { View } from "~/graph/timeline/view";
import { useSearch } from "~/lib/search";

/** "fit": everything, also what comes. "end": what comes, on this scale. "free": what one has chosen. */
export type Mode = "fit" | "end" | "free";

/** Milliseconds after the last move until the URL says where one is. */
const SETTLED = 350;

export type Camera = ReturnType<typeof createCamera>;

export function createCamera(axis: Accessor<Axis | undefined>, isLive: Accessor<boolean>, moved: () => void) {
  const search = useSearch();
  const [mode, setMode] = createSignal<Mode>("fit");
  let view: View = whole(1);
  let seen: Axis | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let said = "";
  onCleanup(() => clearTimeout(timer));

  /** The axis up to now: it goes on between two pictures. */
  const length = (now: number) => Math.max(axis()!.length, axis()!.at(now));

  const say = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const { from: origin } = axis()!;
      const told = (shown: number) => (axis()!.time(shown) - origin).toFixed(4).replace(/\.?0+$/, "");
      const [from, to] = mode() === "free" ? [told(view.from), told(view.to)] : [undefined, undefined];
      said = `${from ?? ""} ${to ?? ""}`;
      search.set({ from, to });
    }, SETTLED);
  };
  const look = (next: View, now: number) => {
    const all = length(now);
    const isAll = next.to - next.from >= (whole(all).to - whole(all).from) * 0.999;
    // Whoever sees the end of what still goes on follows it.
    const seesEnd = isLive() && next.to >= all + (next.to - next.from) * FREE * 0.5;
    view = next;
    setMode(isAll ? "fit" : seesEnd ? "end" : "free");
    say();
    moved();
  };
  /** What the URL says, when it was not this that said it. */
  createEffect(
    on([axis, () => `${search.one("from")} ${search.one("to")}`], ([axis, told]) => {
      if (!axis || told === said) return;
      said = told;
      const [from, to] = [Number(search.one("from") || NaN), Number(search.one("to") || NaN)];
      if (from < to) view = kept({ from: axis.at(axis.from + from), to: axis.at(axis.from + to) }, axis.length);
      setMode(from < to ? "free" : "fit");
      moved();
    }),
  );
  return {
    mode,
    /** The view as it is now; of an axis that has changed meanwhile, the same time. */
    now(now: number): View {
      const current = axis()!;
      if (seen && seen !== current && mode() !== "fit")
        view = { from: current.at(seen.time(view.from)), to: current.at(seen.time(view.to)) };
      seen = current;
      if (mode() === "fit") view = whole(length(now));
      else if (mode() === "end") view = atEnd(view, length(now));
      return view;
    },
    zoom: (factor: number, anchor: number, now: number) => look(zoomed(view, factor, anchor, length(now)), now),
    pan: (by: number, now: number) => look(panned(view, by, length(now)), now),
    /** Exactly this stretch of the axis. */
    set: (next: View, now: number) => look(kept(next, length(now)), now),
    /** Moved only as far as needed. */
    show(from: number, to: number, now: number) {
      const next = showing(view, from, to, length(now));
      if (next !== view) look(next, now);
    },
    fit() {
      setMode("fit");
      say();
      moved();
    },
    end(now: number) {
      const all = whole(length(now));
      // From everything there is no end to go to: the last fifth is where something happens.
      if (mode() === "fit") view = { from: view.from, to: view.from + (all.to - all.from) / 5 };
      view = atEnd(view, length(now));
      setMode(isLive() ? "end" : "free");
      say();
      moved();
    },
  };
}
