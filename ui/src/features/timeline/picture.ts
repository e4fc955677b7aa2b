/** What is drawn of a run, made anew when it has changed: at most so often that it stays a small part of the time. */

import { createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";
import type { Accessor } from "solid-js";
import type { RunData } from "~/data/run";
import { axisFor } from "~/graph/timeline/axis";
import type { Axis, Interval } from "~/graph/timeline/axis";
import { stepsOf } from "~/graph/timeline/concurrency";
import type { Steps } from "~/graph/timeline/concurrency";
import { criticalPath } from "~/graph/timeline/critical-path";
import type { CriticalPath } from "~/graph/timeline/critical-path";
import { attemptsOf } from "~/graph/timeline/model";
import type { AllTried, Piece } from "~/graph/timeline/model";
import { wrongTimes } from "~/graph/timeline/paint-head";
import { layOut } from "~/graph/timeline/rows";
import type { Layout } from "~/graph/timeline/rows";
import type { RunAttempt } from "~/graph/timeline/scene";
import { secondsOf } from "~/lib/times";
import type { Settings } from "./settings";

export interface Picture {
  pieces: readonly Piece[];
  tried: AllTried;
  layout: Layout;
  axis: Axis;
  steps: Steps;
  wrong: number[];
  path: CriticalPath | undefined;
  runAttempts: readonly RunAttempt[];
  /** Whether there is anything to cut on the axis. */
  hasCuts: boolean;
}

/** How many times as long as it takes to make one it stands, at least; and milliseconds that it stands at most. */
const REST = 8;
const LONGEST_REST = 1_000;

export function createPicture(
  data: RunData,
  settings: Settings,
  beside: { tried: Accessor<AllTried>; flows: Accessor<Piece[]>; runAttempts: Accessor<RunAttempt[]> },
): Accessor<Picture | undefined> {
  const [picture, setPicture] = createSignal<Picture>();
  let madeAt = -Infinity;
  let cost = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const make = () => {
    clearTimeout(timer);
    timer = undefined;
    const began = performance.now();
    const made = pictureOf(data, settings, beside);
    setPicture(made);
    madeAt = performance.now();
    cost = madeAt - began;
  };
  const soon = () => {
    if (timer) return;
    const rest = Math.min(LONGEST_REST, REST * cost) - (performance.now() - madeAt);
    if (rest <= 0) make();
    else timer = setTimeout(make, rest);
  };
  const version = createMemo(() => data.tasks().version());
  createEffect(
    on(
      [data.tasks, settings.by, settings.isTrue, settings.hasPath, settings.folds, settings.rowHeight, settings.room],
      make,
    ),
  );
  createEffect(
    on(
      [version, beside.tried, beside.flows, beside.runAttempts, data.isFinal, data.tasksRead, () => data.run()?.change],
      soon,
      {
        defer: true,
      },
    ),
  );
  onCleanup(() => clearTimeout(timer));
  return picture;
}

/** The end of the time that is shown: now, or when it was over. */
export function endOf(data: RunData): number {
  const ended = secondsOf(data.run()?.ended);
  return data.isFinal() && ended ? ended : Date.now() / 1000;
}

function pictureOf(
  data: RunData,
  settings: Settings,
  beside: { tried: Accessor<AllTried>; flows: Accessor<Piece[]>; runAttempts: Accessor<RunAttempt[]> },
): Picture {
  const [tried, now] = [beside.tried(), endOf(data)];
  const pieces: Piece[] = [...data.tasks().rows(), ...beside.flows()];
  const busy: Interval[] = [];
  for (const piece of pieces) {
    if (piece.isFlow) continue;
    for (const one of attemptsOf(piece, tried.get(piece.id)))
      busy.push({ from: one.started, to: Math.max(one.started, one.ended || now) });
  }
  const within = { from: secondsOf(data.run()?.created) || now, to: now };
  // Until all is read it seems that nothing ran where much did.
  const axis = axisFor(busy, within, !data.tasksRead());
  return {
    pieces,
    tried,
    layout: layOut(pieces, {
      by: settings.by(),
      tried,
      isOpen: settings.isOpen,
      rowHeight: settings.rowHeight(),
      room: settings.room(),
    }),
    axis: settings.isTrue() ? axisFor([], { from: axis.from, to: axis.to }, true) : axis,
    hasCuts: axis.cuts.length > 0,
    steps: stepsOf(pieces, tried),
    wrong: wrongTimes(pieces, tried),
    path: settings.hasPath() ? criticalPath(pieces, tried, now) : undefined,
    runAttempts: beside.runAttempts(),
  };
}
