import { createEffect, createMemo, onCleanup } from "solid-js";
import { colourOf } from "~/graph/patterns";
import { colour } from "~/lib/theme";
import { seen } from "./camera";
import type { Drawn } from "./drawn";
import { cleaned } from "./paint";
import type { CameraControl } from "./use-camera";
import styles from "./dag-view.module.css";

/** Pixels. */
const WIDE = 168;
const HIGH = 104;
/** Milliseconds between two paintings of states. */
const RARELY = 300;

/** The whole picture, small, and which part of it is seen. Press or drag in it to go there. */
export function Minimap(props: { drawn: Drawn; stateOf: (id: string) => string; control: CameraControl }) {
  let canvas!: HTMLCanvasElement;
  const scale = createMemo(() => Math.min(WIDE / props.drawn.laid.width, HIGH / props.drawn.laid.height));
  const offset = () => ({
    x: (WIDE - props.drawn.laid.width * scale()) / 2,
    y: (HIGH - props.drawn.laid.height * scale()) / 2,
  });
  let waiting: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(waiting));
  let painted: Drawn | undefined;
  createEffect(() => {
    const { drawn, stateOf } = props;
    const [k, { x, y }] = [scale(), offset()];
    const boxes = drawn.shown.nodes.map(({ node, isOpen }) => ({
      box: drawn.laid.boxes.get(node.id),
      fill: isOpen ? colour("--line") : stateOf(node.id) ? colourOf(stateOf(node.id)) : colour("--line-strong"),
    }));
    const paint = () => {
      waiting = undefined;
      const draw = cleaned(canvas, { width: WIDE, height: HIGH });
      for (const { box, fill } of boxes) {
        if (!draw || !box) continue;
        draw.fillStyle = fill;
        draw.fillRect(x + box.x * k, y + box.y * k, Math.max(1, box.width * k), Math.max(1, box.height * k));
      }
    };
    clearTimeout(waiting);
    waiting = setTimeout(paint, painted === drawn ? RARELY : 0);
    painted = drawn;
  });
  const frame = () => {
    const part = seen(props.control.camera(), props.control.view());
    const [k, { x, y }] = [scale(), offset()];
    const [left, top] = [Math.max(0, x + part.x * k), Math.max(0, y + part.y * k)];
    const right = Math.min(WIDE, x + (part.x + part.width) * k);
    const bottom = Math.min(HIGH, y + (part.y + part.height) * k);
    return {
      transform: `translate(${left}px, ${top}px)`,
      width: `${Math.max(4, right - left)}px`,
      height: `${Math.max(4, bottom - top)}px`,
    };
  };
  const go = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    event.stopPropagation();
    if (event.type === "pointermove" && event.buttons === 0) return;
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const { k } = props.control.camera();
    const { width, height } = props.control.view();
    const at = {
      x: (event.clientX - left - offset().x) / scale(),
      y: (event.clientY - top - offset().y) / scale(),
    };
    props.control.go({ k, x: width / 2 - at.x * k, y: height / 2 - at.y * k }, { atOnce: true });
  };
  // What can be done in it can be done with keys and the wheel too.
  return (
    <div class={styles.minimap} aria-hidden="true" onPointerDown={go} onPointerMove={go}>
      <canvas ref={canvas} />
      <span class={styles.frame} style={frame()} />
    </div>
  );
}
