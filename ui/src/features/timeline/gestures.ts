/** Pointers on the rows: dragging pans, two fingers zoom, a press that did not move is a click. */

export interface Gestures {
  /** By so many pixels. */
  pan: (x: number, y: number, isTouch: boolean) => void;
  /** Around a place. */
  zoom: (factor: number, x: number) => void;
  click: (x: number, y: number, event: PointerEvent) => void;
  hover: (x: number, y: number, isTouch: boolean) => void;
  leave: () => void;
}

/** Pixels that a press may move and still be a click. */
const SLOP = 4;

export function listen(element: HTMLElement, to: Gestures): () => void {
  const pointers = new Map<number, { x: number; y: number }>();
  let hasMoved = false;
  const place = (event: PointerEvent) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const at = place(event);
    if (at.x > element.clientWidth) return; // the scroll bar
    if (pointers.size === 0) hasMoved = false;
    pointers.set(event.pointerId, at);
    if (pointers.size > 1) hasMoved = true;
  };
  const move = (event: PointerEvent) => {
    const at = place(event);
    const from = pointers.get(event.pointerId);
    const isTouch = event.pointerType === "touch";
    if (!from) {
      if (!isTouch) to.hover(at.x, at.y, false);
      return;
    }
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const [before, now] = [Math.abs(from.x - other.x), Math.abs(at.x - other.x)];
      if (before > 8 && now > 8) to.zoom(before / now, (at.x + other.x) / 2);
      to.pan((at.x - from.x) / 2, 0, isTouch);
    } else {
      if (!hasMoved && Math.hypot(at.x - from.x, at.y - from.y) < SLOP) return;
      if (!hasMoved) {
        hasMoved = true;
        element.setPointerCapture(event.pointerId);
        to.leave();
      }
      to.pan(at.x - from.x, at.y - from.y, isTouch);
    }
    pointers.set(event.pointerId, at);
  };
  const up = (event: PointerEvent) => {
    const from = pointers.get(event.pointerId);
    pointers.delete(event.pointerId);
    if (!from || hasMoved) return;
    const at = place(event);
    if (event.pointerType === "touch") to.hover(at.x, at.y, true);
    to.click(at.x, at.y, event);
  };
  const cancel = (event: PointerEvent) => pointers.delete(event.pointerId);
  const leave = () => to.leave();
  element.addEventListener("pointerdown", down);
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", cancel);
  element.addEventListener("pointerleave", leave);
  return () => {
    element.removeEventListener("pointerdown", down);
    element.removeEventListener("pointermove", move);
    element.removeEventListener("pointerup", up);
    element.removeEventListener("pointercancel", cancel);
    element.removeEventListener("pointerleave", leave);
  };
}

/** One pointer that is drawn over an element; `move` is told where it began, was and is. */
export function listenToDrag(
  element: HTMLElement,
  to: {
    start: (x: number) => void;
    move: (x: number, before: number) => void;
    end: (x: number, hasMoved: boolean) => void;
  },
): () => void {
  let before: number | undefined;
  let begun = 0;
  const placeOf = (event: PointerEvent) => event.clientX - element.getBoundingClientRect().left;
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    begun = before = placeOf(event);
    to.start(begun);
  };
  const move = (event: PointerEvent) => {
    if (before === undefined) return;
    const at = placeOf(event);
    to.move(at, before);
    before = at;
  };
  const up = (event: PointerEvent) => {
    if (before === undefined) return;
    before = undefined;
    to.end(placeOf(event), Math.abs(placeOf(event) - begun) >= SLOP);
  };
  element.addEventListener("pointerdown", down);
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", up);
  return () => {
    element.removeEventListener("pointerdown", down);
    element.removeEventListener("pointermove", move);
    element.removeEventListener("pointerup", up);
    element.removeEventListener("pointercancel", up);
  };
}
