/** The bar of the timeline that keys are for: how one goes from bar to bar, and what is said of each. */

import { createEffect, createSignal, on } from "solid-js";
import { beginOf } from "~/graph/timeline/model";
import { moved, spotOf, thingAt } from "~/graph/timeline/spots";
import type { Spot, Step } from "~/graph/timeline/spots";
import type { Camera } from "./camera";
import type { ChartRoom } from "./chart-moving";
import type { Picture } from "./picture";
import { spoken } from "./words";
import type { Thing } from "./words";

/** What one press of a key does, of what is seen; and pixels that it scrolls. */
const PRESS = 0.12;
const SCROLL = 66;

const STEPS: Record<string, Step> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "first",
  End: "last",
};

/** @param onGo Told when keys go somewhere: then it is not the pointer that counts. */
export function createFocus(
  props: { picture: Picture; camera: Camera; open: (thing: Thing) => void },
  room: ChartRoom,
  onGo: () => void,
) {
  const { size, top, scroller, now } = room;
  const [focus, setFocus] = createSignal<Spot>();
  const [said, setSaid] = createSignal("");
  // What has the focus keeps it when rows move.
  createEffect(
    on(
      () => props.picture,
      (picture, before) => {
        const spot = focus();
        const id = before && spot && thingAt(before.layout, spot)?.piece?.id;
        if (!id || thingAt(picture.layout, spot)?.piece?.id === id) return picture;
        setFocus(spotOf(picture.layout, id));
        return picture;
      },
    ) as never,
  );

  const show = (spot: Spot) => {
    const { layout, axis, tried } = props.picture;
    const row = layout.rows[spot.row]!;
    if (row.y < top()) scroller().scrollTop = row.y;
    else if (row.y + row.height > top() + size().height) scroller().scrollTop = row.y + row.height - size().height;
    const { piece, at } = thingAt(layout, spot)!;
    const begin = at?.started ?? (piece ? beginOf(piece, tried.get(piece.id)) : 0);
    if (begin) props.camera.show(axis.at(begin), axis.at(at?.ended || (at ? now() : begin)), now());
  };
  const goTo = (spot: Spot) => {
    setFocus(spot);
    onGo();
    show(spot);
    const thing = thingAt(props.picture.layout, spot)!;
    const tried = thing.piece && props.picture.tried.get(thing.piece.id);
    setSaid(spoken(thing, tried, props.picture.axis.from, now()));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const { camera, picture } = props;
    const view = camera.now(now());
    const span = view.to - view.from;
    const step = STEPS[event.key];
    const spot = focus();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.shiftKey && (step === "left" || step === "right"))
      camera.pan(span * (step === "left" ? -PRESS : PRESS), now());
    else if (event.shiftKey && (step === "up" || step === "down"))
      scroller().scrollTop += step === "up" ? -SCROLL : SCROLL;
    else if (step && spot) goTo(moved(picture.layout, spot, step, now()));
    else if (step && picture.layout.rows.length)
      goTo(moved(picture.layout, { row: -1, lane: -1, place: -1 }, "first", now()));
    else if ((event.key === "Enter" || event.key === " ") && spot) props.open(thingAt(picture.layout, spot)!);
    else if (event.key === "Escape" && spot) setFocus(undefined);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return { focus, setFocus, said, onKeyDown };
}
