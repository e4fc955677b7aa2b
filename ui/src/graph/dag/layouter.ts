/** Asks a worker for layouts; only the newest one that was asked for is answered. */

import { onCleanup } from "solid-js";
import type { Answered, Asked } from "./layout.worker";
import type { Laid, Plan } from "./plan";

function started(): Worker {
  return new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
}

/** A worker that nobody uses. The first starts with this module, so that it is there when the graph has been read. */
let spare: Worker | undefined = started();

/** Make a way to lay out plans, as long as the component that calls this is there. `done` hears of the newest alone. */
export function createLayouter(done: (laid: Laid) => void): (plan: Plan) => void {
  let worker = spare ?? started();
  spare = undefined;
  let number = 0;
  let isBusy = false;
  const hear = ({ data }: MessageEvent<Answered>) => {
    if (data.number !== number) return;
    isBusy = false;
    done(data.laid);
  };
  worker.addEventListener("message", hear);
  onCleanup(() => {
    worker.removeEventListener("message", hear);
    if (isBusy || spare) worker.terminate();
    else spare = worker;
  });
  return (plan) => {
    if (isBusy) {
      // What it lays out now nobody wants any more, and it cannot hear that before it is done.
      worker.terminate();
      worker = started();
      worker.addEventListener("message", hear);
    }
    isBusy = true;
    worker.postMessage({ number: ++number, plan } satisfies Asked, []);
  };
}
