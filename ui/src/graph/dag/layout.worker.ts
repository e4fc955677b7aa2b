/** Lays graphs out off the main thread, so that the page goes on while a large one is placed. */

import { laidOut } from "./plan";
import type { Laid, Plan } from "./plan";

export interface Asked {
  number: number;
  plan: Plan;
}

export interface Answered {
  number: number;
  laid: Laid;
}

addEventListener("message", ({ data }: MessageEvent<Asked>) => {
  postMessage({ number: data.number, laid: laidOut(data.plan) } satisfies Answered);
});
