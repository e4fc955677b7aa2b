/** What is drawn, and where times and heights lie on the canvas. */

import type { Axis } from "./axis";
import type { Steps } from "./concurrency";
import type { CriticalPath } from "./critical-path";
import type { AllTried } from "./model";
import type { Layout } from "./rows";
import type { Spot } from "./spots";
import type { View } from "./view";

/** When each attempt of the run itself began. */
export interface RunAttempt {
  attempt: number;
  started: number;
}

export interface Scene {
  layout: Layout;
  axis: Axis;
  view: View;
  tried: AllTried;
  steps: Steps;
  /** Unix seconds; of a run that has ended, when it ended. */
  now: number;
  isLive: boolean;
  /** Shown seconds of the axis, up to now. */
  length: number;
  runAttempts: readonly RunAttempt[];
  /** CSS pixels: of the canvas, of the part where labels stand, and how far rows are scrolled. */
  width: number;
  height: number;
  gutter: number;
  top: number;
  hover: Spot | undefined;
  focus: Spot | undefined;
  /** Whether the focus is seen: it is where one uses keys. */
  isFocused: boolean;
  /** Id of the piece that is chosen. */
  chosen: string;
  path: CriticalPath | undefined;
}

/** Pixels of one shown second. */
export function scaleOf(scene: Pick<Scene, "view" | "width" | "gutter">): number {
  return (scene.width - scene.gutter) / (scene.view.to - scene.view.from);
}

/** Where a real time lies; kept near the canvas, since what lies far outside is drawn wrongly by browsers. */
export function xOf(scene: Scene, time: number): number {
  const x = scene.gutter + (scene.axis.at(time) - scene.view.from) * scaleOf(scene);
  return Math.min(Math.max(x, scene.gutter - 50), scene.width + 50);
}

/** The real time that lies somewhere. */
export function timeOf(scene: Pick<Scene, "axis" | "view" | "width" | "gutter">, x: number): number {
  return scene.axis.time(scene.view.from + (x - scene.gutter) / scaleOf(scene));
}
