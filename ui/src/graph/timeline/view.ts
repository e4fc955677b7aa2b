/** Which part of the axis is seen, in shown seconds; and moving it. */

export interface View {
  from: number;
  to: number;
}

/** Seconds that are seen at least. */
const SHORTEST = 0.0005;
/** Part of the view that lies free beyond the end of the axis, for what is written there. */
export const FREE = 0.06;

/** All of it, with some room at the end. */
export function whole(length: number): View {
  const seen = Math.max(length, SHORTEST * 20);
  return { from: -seen * 0.01, to: seen * (1 + FREE) };
}

/** Closer (factor below 1) or wider, so that `anchor` stays where it is. */
export function zoomed(view: View, factor: number, anchor: number, length: number): View {
  const most = whole(length);
  const span = Math.min(Math.max((view.to - view.from) * factor, SHORTEST), most.to - most.from);
  const part = (anchor - view.from) / (view.to - view.from);
  return kept({ from: anchor - part * span, to: anchor + (1 - part) * span }, length);
}

export function panned(view: View, by: number, length: number): View {
  return kept({ from: view.from + by, to: view.to + by }, length);
}

/** Moved as far as needed so that it does not leave the axis. */
export function kept(view: View, length: number): View {
  const most = whole(length);
  const span = view.to - view.from;
  if (span >= most.to - most.from) return most;
  const from = Math.min(Math.max(view.from, most.from), most.to - span);
  return { from, to: from + span };
}

/** The end of the axis, as long as before. */
export function atEnd(view: View, length: number): View {
  const span = view.to - view.from;
  return kept({ from: length + span * FREE - span, to: length + span * FREE }, length);
}

/** Moved, and no more than needed, so that a stretch is seen; its beginning, where it is longer than the view. */
export function showing(view: View, from: number, to: number, length: number): View {
  const span = view.to - view.from;
  const margin = span * 0.08;
  if (from < view.from || to - from > span) return panned(view, from - margin - view.from, length);
  if (to > view.to) return panned(view, Math.min(to + margin - view.to, from - margin - view.from), length);
  return view;
}
