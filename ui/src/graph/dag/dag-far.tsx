import { createEffect, createMemo, createSignal, onCleanup } from "solid-js";
import type { Camera } from "./camera";
import { paint } from "./paint";
import type { Painting } from "./paint";
import type { Box } from "./plan";
import styles from "./dag-view.module.css";

/** How many times as long as a painting took it is before the next one, where only states change. */
const REST = 3;

/**
 * A graph from afar: coloured boxes and lines, on a canvas that is larger than the view. To pan is to move the canvas; it
 * is painted anew when its edge comes near, and sharply when a zoom ends.
 */
export function DagFar(props: Omit<Painting, "k"> & { camera: Camera; isMoving: boolean }) {
  let canvas!: HTMLCanvasElement;
  const [painted, setPainted] = createSignal<{ part: Box; k: number }>({ part: props.part, k: props.camera.k });
  let cost = 0;
  let end = 0;
  let waiting: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(waiting));
  /** The scale it is to have: while one zooms, that of the last painting. */
  const scale = createMemo<number>((last) =>
    props.isMoving && last && props.part === painted().part ? last : props.camera.k,
  );
  let before: unknown[] = [];
  createEffect(() => {
    const { drawn, part, stateOf, lit, selected } = props;
    const k = scale();
    // What is read here is what is drawn: a change of any state makes this run again.
    for (const { node } of drawn.shown.nodes) stateOf(node.id);
    const run = () => {
      const begin = performance.now();
      paint(canvas, { drawn, part, k, stateOf, lit, selected });
      end = performance.now();
      cost = end - begin;
      setPainted({ part, k });
    };
    const now = [drawn, part, k, lit, selected];
    const isUrgent = now.some((one, at) => one !== before[at]);
    before = now;
    clearTimeout(waiting);
    const rest = end + REST * cost - performance.now();
    if (isUrgent || rest <= 0) run();
    else waiting = setTimeout(run, rest);
  });
  return (
    <canvas
      ref={canvas}
      class={styles.far}
      aria-hidden="true"
      style={{
        width: `${painted().part.width * painted().k}px`,
        height: `${painted().part.height * painted().k}px`,
        transform: `translate(${props.camera.x + painted().part.x * props.camera.k}px, ${
          props.camera.y + painted().part.y * props.camera.k
        }px) scale(${props.camera.k / painted().k})`,
      }}
    />
  );
}
