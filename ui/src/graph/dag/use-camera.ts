/** A camera that people move: by wheel, drag, pinch, buttons and keys. */

import { createEffect, createSignal, on, onCleanup } from "solid-js";
import type { Accessor } from "solid-js";
import { fitted, held, zoomed } from "./camera";
import type { Camera } from "./camera";
import type { Size } from "./layered";

/** Milliseconds of a move that nobody's hand makes, and after which a picture that stood still is drawn sharply. */
const GLIDE = 220;
const STILL = 140;
/** Pixels that a pointer may tremble while it clicks. */
const TREMBLE = 4;
/** Pixels that one turn of a wheel has at least; less comes from a pad, on which one pans. */
const TURN = 60;

export interface CameraControl {
  camera: Accessor<Camera>;
  view: Accessor<Size>;
  /** Whether it moves just now. */
  isMoving: Accessor<boolean>;
  /** Whether it was moved by hand, so that it should not follow the picture by itself. */
  isHeld: Accessor<boolean>;
  fit: () => void;
  zoomBy: (factor: number) => void;
  /** Zoom to a scale, around the middle. */
  zoomTo: (k: number) => void;
  /** Go somewhere; calmly unless told otherwise. */
  go: (to: Camera, options?: { atOnce?: boolean; byHand?: boolean }) => void;
  /** Make an element the view. */
  attach: (element: HTMLElement) => void;
}

export function createCamera(picture: Accessor<Size>): CameraControl {
  const [camera, setCamera] = createSignal<Camera>({ x: 0, y: 0, k: 1 });
  const [view, setView] = createSignal<Size>({ width: 0, height: 0 });
  const [isMoving, setMoving] = createSignal(false);
  const [isHeld, setHeld] = createSignal(false);
  let gliding = 0;
  let still: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => {
    cancelAnimationFrame(gliding);
    clearTimeout(still);
  });

  const set = (to: Camera) => {
    setCamera(held(to, picture(), view()));
    setMoving(true);
    clearTimeout(still);
    still = setTimeout(() => setMoving(false), STILL);
  };
  const byHand = (to: Camera) => {
    cancelAnimationFrame(gliding);
    setHeld(true);
    set(to);
  };
  const go: CameraControl["go"] = (to, options = {}) => {
    cancelAnimationFrame(gliding);
    setHeld(options.byHand ?? true);
    if (options.atOnce || matchMedia("(prefers-reduced-motion: reduce)").matches) return set(to);
    const from = camera();
    const begin = performance.now();
    const step = (now: number) => {
      const part = Math.min(1, Math.max(0, (now - begin) / GLIDE));
      const eased = 1 - (1 - part) ** 3;
      const mixed = (a: number, b: number) => a + (b - a) * eased;
      set({ x: mixed(from.x, to.x), y: mixed(from.y, to.y), k: mixed(from.k, to.k) });
      if (part < 1) gliding = requestAnimationFrame(step);
    };
    gliding = requestAnimationFrame(step);
  };
  const fit = () => go(fitted(picture(), view()), { byHand: false });
  const least = () => Math.min(0.5, fitted(picture(), view()).k * 0.8);
  const zoomBy = (factor: number) => {
    const { width, height } = view();
    go(zoomed(camera(), factor, width / 2, height / 2, least()));
  };

  // As long as nobody moved it, the whole is seen, however it grows.
  let isFirst = true;
  createEffect(
    on([picture, view], ([picture, view]) => {
      if (!picture.width || !view.width || !view.height) return;
      if (isHeld()) return setCamera((now) => held(now, picture, view));
      go(fitted(picture, view), { atOnce: isFirst, byHand: false });
      isFirst = false;
    }),
  );

  const attach = (element: HTMLElement) => {
    const watch = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      setView({ width, height });
    });
    watch.observe(element);
    onCleanup(() => watch.disconnect());
    const at = (event: { clientX: number; clientY: number }) => {
      const { left, top } = element.getBoundingClientRect();
      return [event.clientX - left, event.clientY - top] as const;
    };
    element.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
        const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
        const isPad = !event.ctrlKey && (dx !== 0 || Math.abs(dy) < TURN) && event.deltaMode === 0;
        const now = camera();
        if (event.shiftKey && !event.ctrlKey) byHand({ ...now, x: now.x - (dx || dy) });
        else if (isPad) byHand({ ...now, x: now.x - dx, y: now.y - dy });
        else byHand(zoomed(now, Math.exp(-dy * (Math.abs(dy) < TURN ? 0.01 : 0.0018)), ...at(event), least()));
      },
      { passive: false },
    );
    drag(element, at, camera, byHand, least);
  };
  return { camera, view, isMoving, isHeld, fit, zoomBy, zoomTo: (k) => zoomBy(k / camera().k), go, attach };
}

/** One pointer pans, two pinch. A click on what lies in the picture stays one, unless the pointer moved. */
function drag(
  element: HTMLElement,
  at: (event: PointerEvent) => readonly [number, number],
  camera: Accessor<Camera>,
  move: (to: Camera) => void,
  least: () => number,
): void {
  const down = new Map<number, readonly [number, number]>();
  let moved = 0;
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 && event.button !== 1) return;
    if (down.size === 0) moved = 0;
    down.set(event.pointerId, at(event));
  });
  element.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    if (event.buttons === 0) return void down.delete(event.pointerId);
    const now = at(event);
    const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    moved += Math.abs(dx) + Math.abs(dy);
    down.set(event.pointerId, now);
    if (moved < TREMBLE) return;
    if (!element.hasPointerCapture(event.pointerId)) element.setPointerCapture(event.pointerId);
    const { x, y, k } = camera();
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    if (!other) return move({ x: x + dx, y: y + dy, k });
    const far = (a: readonly [number, number]) => Math.hypot(a[0] - other[0], a[1] - other[1]);
    const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2] as const;
    const factor = far(now) / Math.max(1, far(before));
    move(zoomed({ x: x + dx / 2, y: y + dy / 2, k }, factor, middle[0], middle[1], least()));
  });
  const up = (event: PointerEvent) => void down.delete(event.pointerId);
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", up);
  element.addEventListener(
    "click",
    (event) => {
      if (moved >= TREMBLE && event.detail > 0) event.stopPropagation();
    },
    true,
  );
}
