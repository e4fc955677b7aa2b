/**
 * A graph that one can move in. Nodes and lines in view are elements; where they are too many for that, because one looks
 * from afar, they are painted. Static graphs need `graph` and `label` alone.
 */

import { For, Show, createEffect, createMemo, createSignal, on } from "solid-js";
import { Loading } from "~/components/notice";
import { centredOn, revealed } from "./camera";
import { DagFar } from "./dag-far";
import { DagLines } from "./dag-lines";
import { DagNode } from "./dag-node";
import type { Cells } from "./dag-node";
import { DagZoom } from "./dag-zoom";
import { neighbour, nodeAt } from "./drawn";
import type { Arrow, Drawn } from "./drawn";
import { Minimap } from "./minimap";
import type { Box, Direction } from "./plan";
import { coneOf, found, shownOf } from "./shown";
import type { GraphShape, ShownNode } from "./shown";
import { NOTHING, same, shining, told } from "./tally";
import type { Tally } from "./tally";
import { createCamera } from "./use-camera";
import { createDrawn } from "./use-drawn";
import { createPart } from "./use-part";
import { said } from "./words";
import styles from "./dag-view.module.css";

export type { Cells } from "./dag-node";

/** Nodes from which there is a small map. */
const MAP_FROM = 24;
/** A scale at which names can be read. */
const READABLE = 0.55;
/** Milliseconds that a pointer rests on a node before what it depends on is lit. */
const REST = 90;

export interface DagViewProps {
  graph: GraphShape;
  label: string;
  direction?: Direction;
  selected?: string;
  /** Asked for when a node is pressed. */
  onOpen?: (node: string) => void;
  /** Nodes that show what is in them. */
  open?: ReadonlySet<string>;
  onToggle?: (node: string) => void;
  /** Only what this subflow made. */
  root?: string;
  /** What has become of a node's calls; what the graph says, if not given. */
  tally?: (node: string) => Tally | undefined;
  /** The calls of an open map. */
  cells?: (node: string) => Cells | undefined;
  onCell?: (call: string) => void;
  /** Text that is looked for in names. */
  find?: string;
  /** Go to one node, each time this changes. */
  goTo?: { node: string };
}

export function DagView(props: DagViewProps) {
  const direction = () => props.direction ?? "right";
  const shown = createMemo(() => shownOf(props.graph, props.open ?? new Set(), props.root));
  const nodes = createMemo(() => new Map(props.graph.nodes.map((node) => [node.id, told(node)])));
  const tallyOf = (id: string): Tally => props.tally?.(id) ?? nodes().get(id) ?? NOTHING;
  const stateOf = (id: string) => shining(tallyOf(id));

  let toggled = "";
  const { drawn, isSettling } = createDrawn(shown, direction, (before, now) => keepInPlace(before, now));
  const picture = createMemo(() => drawn()?.laid ?? { width: 0, height: 0 });
  const control = createCamera(picture);
  const { camera, view } = control;

  /** What was opened or folded stays under the pointer, unless the whole is in view anyway. */
  const keepInPlace = (before: Drawn | undefined, now: Drawn) => {
    const [from, to] = [before?.laid.boxes.get(toggled), now.laid.boxes.get(toggled)];
    toggled = "";
    if (!from || !to || !control.isHeld()) return;
    const { x, y, k } = camera();
    control.go({ k, x: x + (from.x - to.x) * k, y: y + (from.y - to.y) * k }, { atOnce: true });
  };
  const toggle = (id: string) => {
    toggled = id;
    props.onToggle?.(id);
  };

  const { part, nodes: inPart, isFar, routes } = createPart(drawn, control);

  const [active, setActive] = createSignal("");
  const isDrawn = (id: string | undefined) => Boolean(id && drawn()?.laid.boxes.has(id) && drawn()?.shown.byId.has(id));
  const activeOne = createMemo(() => (isDrawn(active()) ? active() : (drawn()?.shown.nodes[0]?.node.id ?? "")));
  const elements = createMemo(() => {
    const all = isFar() ? [] : inPart();
    const more = [activeOne(), props.selected].filter((id): id is string => isDrawn(id) && !all.includes(id!));
    return [...all, ...new Set(more)];
  });

  const [hovered, setHovered] = createSignal("");
  let resting: ReturnType<typeof setTimeout> | undefined;
  const hover = (id: string) => {
    if (id === hovered()) return;
    clearTimeout(resting);
    resting = setTimeout(() => setHovered(id), id ? REST : REST / 2);
  };
  const hits = createMemo(() =>
    props.find?.trim() && drawn() ? found(props.graph, drawn()!.shown, props.find) : undefined,
  );
  const lit = createMemo(() => (isDrawn(hovered()) ? coneOf(drawn()!.shown, hovered()) : hits()));

  let frame!: HTMLDivElement;
  const focus = (id: string) => {
    setActive(id);
    queueMicrotask(() =>
      frame.querySelector<HTMLElement>(`[data-node="${CSS.escape(id)}"] button`)?.focus({ preventScroll: true }),
    );
  };
  const reveal = (id: string, isReadable = false) => {
    const box = drawn()?.laid.boxes.get(id);
    if (!box) return;
    const now = camera();
    if (isReadable && now.k < READABLE) return control.go(centredOn(box, view(), 0.8));
    const to = revealed(now, box, view());
    if (to !== now) control.go(to);
  };
  createEffect(
    on(
      () => props.goTo,
      (to) => {
        if (!to || !isDrawn(to.node)) return;
        setActive(to.node);
        reveal(to.node, true);
      },
      { defer: true },
    ),
  );
  const open = (id: string) => {
    setActive(id);
    props.onOpen?.(id);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const id = (event.target as HTMLElement).closest<HTMLElement>("[data-node]")?.dataset.node;
    if (!id || !drawn()) return;
    let to: string | undefined;
    if (event.key.startsWith("Arrow")) to = neighbour(drawn()!, id, event.key as Arrow);
    else if (event.key === "Home") to = drawn()!.shown.nodes[0]?.node.id;
    else if (event.key === "End") to = drawn()!.shown.nodes.at(-1)?.node.id;
    else if (event.key === " " && drawn()!.shown.byId.get(id)?.opens) toggle(id);
    else if (event.key === "Escape" && hovered()) setHovered("");
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (!to) return;
    setHovered(to);
    reveal(to, true);
    focus(to);
  };
  const idAt = (event: MouseEvent) => {
    const element = (event.target as HTMLElement).closest<HTMLElement>("[data-node]");
    if (element) return element.dataset.node;
    if (!isFar() || !drawn()) return undefined;
    const { left, top } = frame.getBoundingClientRect();
    const { x, y, k } = camera();
    return nodeAt(drawn()!, (event.clientX - left - x) / k, (event.clientY - top - y) / k);
  };
  const onPointerMove = (event: PointerEvent) => {
    if (event.buttons || event.pointerType === "touch") return;
    const id = idAt(event) ?? "";
    hover(id);
    // Elements have titles of their own.
    frame.title = isFar() && id ? said(shown().byId.get(id)!.node, tallyOf(id), Date.now() / 1000) : "";
  };
  const onClick = (event: MouseEvent) => {
    if (!isFar() || (event.target as HTMLElement).closest("button")) return;
    const id = idAt(event);
    if (id) open(id);
  };
  const isMapped = () => {
    const { width, height } = picture();
    const [k, room] = [camera().k, view()];
    return (
      (drawn()?.shown.nodes.length ?? 0) > MAP_FROM && (width * k > room.width * 1.1 || height * k > room.height * 1.1)
    );
  };

  return (
    <div class={styles.view}>
      <div
        ref={(element) => {
          frame = element;
          control.attach(element);
        }}
        class={styles.frameOf}
        role="group"
        aria-roledescription="graph"
        aria-label={props.label}
        onKeyDown={onKeyDown}
        onPointerMove={onPointerMove}
        onPointerLeave={() => hover("")}
        onClick={onClick}
        onScroll={(event) => {
          // A browser scrolls to what gets the focus; here the camera does.
          event.currentTarget.scrollTo(0, 0);
        }}
      >
        <Show when={drawn()} fallback={<Loading what="the graph" rows={4} />}>
          {(drawn) => (
            <>
              <Show when={isFar()}>
                <DagFar
                  drawn={drawn()}
                  part={part()}
                  camera={camera()}
                  isMoving={control.isMoving()}
                  stateOf={stateOf}
                  lit={lit()}
                  selected={props.selected}
                />
              </Show>
              <div
                class={styles.layer}
                classList={{
                  [styles.moving!]: control.isMoving(),
                  [styles.settling!]: isSettling(),
                  [styles.afar!]: isFar(),
                }}
                style={{ transform: `translate(${camera().x}px, ${camera().y}px) scale(${camera().k})` }}
              >
                <Show when={!isFar()}>
                  <DagLines drawn={drawn()} routes={routes()} lit={lit()} />
                </Show>
                <For each={elements()}>
                  {(id) => {
                    // A node that is about to go keeps what it was.
                    const one = createMemo<ShownNode>((last) => drawn().shown.byId.get(id) ?? last!);
                    const box = createMemo<Box>((last) => drawn().laid.boxes.get(id) ?? last!);
                    const tally = createMemo((): Tally => tallyOf(id), undefined, { equals: same });
                    return (
                      <DagNode
                        shown={one()}
                        box={box()}
                        tally={tally()}
                        cells={one().isOpen ? props.cells?.(id) : undefined}
                        isPale={Boolean(lit() && !lit()!.has(id))}
                        isSelected={props.selected === id}
                        isActive={activeOne() === id}
                        onFocus={() => setActive(id)}
                        onOpen={() => open(id)}
                        onToggle={() => toggle(id)}
                        onCell={(call) => props.onCell?.(call)}
                      />
                    );
                  }}
                </For>
              </div>
            </>
          )}
        </Show>
      </div>
      <DagZoom control={control} />
      <Show when={drawn() && isMapped()}>
        <Minimap drawn={drawn()!} stateOf={stateOf} control={control} />
      </Show>
    </div>
  );
}
