/** Which part of a picture is seen: a point of it at (px, py) stands at (x + k * px, y + k * py). Pure. */

import type { Box } from "./plan";
import type { Size } from "./layered";

export interface Camera {
  x: number;
  y: number;
  k: number;
}

export const LEAST = 0.02;
export const MOST = 2.5;
/** Pixels left free around a picture that is fitted. */
const MARGIN = 28;
/** And below it in a low view, where buttons lie. */
const FOOT = 40;
const LOW = 420;
/** Pixels of the picture that always stay in sight. */
const HELD = 60;

/** Nearer or further, so that what is at a point of the view stays there. */
export function zoomed(camera: Camera, factor: number, x: number, y: number, least = LEAST): Camera {
  const k = Math.min(MOST, Math.max(least, camera.k * factor));
  const by = k / camera.k;
  return { x: x - (x - camera.x) * by, y: y - (y - camera.y) * by, k };
}

/** The whole picture, in the middle, and no larger than it is. */
export function fitted(picture: Size, view: Size): Camera {
  const height = view.height < LOW ? Math.max(80, view.height - FOOT) : view.height;
  const k = Math.max(
    0.005,
    Math.min(
      1,
      (view.width - 2 * MARGIN) / Math.max(1, picture.width),
      (height - 2 * MARGIN) / Math.max(1, picture.height),
    ),
  );
  return { k, x: (view.width - picture.width * k) / 2, y: (height - picture.height * k) / 2 };
}

/** Moved no further than that something of the picture is still in sight. */
export function held(camera: Camera, picture: Size, view: Size): Camera {
  const within = (value: number, size: number, room: number) =>
    Math.min(room - HELD, Math.max(HELD - size * camera.k, value));
  return {
    k: camera.k,
    x: within(camera.x, picture.width, view.width),
    y: within(camera.y, picture.height, view.height),
  };
}

/** With a box in the middle, near enough to read. */
export function centredOn(box: Box, view: Size, k: number): Camera {
  return { k, x: view.width / 2 - (box.x + box.width / 2) * k, y: view.height / 2 - (box.y + box.height / 2) * k };
}

/** Moved just so far that a box is in sight; the same camera where it is. */
export function revealed(camera: Camera, box: Box, view: Size): Camera {
  const shift = (at: number, size: number, room: number) => {
    const [low, high] = [24 - at, room - 24 - size - at];
    return low > 0 ? low : high < 0 ? Math.max(high, low) : 0;
  };
  const dx = shift(camera.x + box.x * camera.k, box.width * camera.k, view.width);
  const dy = shift(camera.y + box.y * camera.k, box.height * camera.k, view.height);
  return dx || dy ? { ...camera, x: camera.x + dx, y: camera.y + dy } : camera;
}

/** The part of the picture that is seen, with so many pixels of the view more on each side. */
export function seen(camera: Camera, view: Size, more = 0): Box {
  return {
    x: (-camera.x - more) / camera.k,
    y: (-camera.y - more) / camera.k,
    width: (view.width + 2 * more) / camera.k,
    height: (view.height + 2 * more) / camera.k,
  };
}

export function touches(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
