/** When the task runs of a run waited, ran and were tried again. */

import { useNavigate } from "@solidjs/router";
import { Match, Show, Switch, createSignal, onCleanup, onMount } from "solid-js";
import { Empty, ErrorNote, Loading } from "~/components/notice";
import { useRun } from "~/data/run";
import { useKeys } from "~/lib/keys";
import { count, plural } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { duration } from "~/lib/times";
import { MOST_FLOWS } from "./api";
import { createFlows, createRunAttempts, createTried } from "./beside";
import { createCamera } from "./camera";
import { Chart } from "./chart";
import { Legend } from "./legend";
import { createPicture, endOf } from "./picture";
import { createSettings } from "./settings";
import { Toolbar } from "./toolbar";
import { statesIn } from "./words";
import type { Thing } from "./words";
import styles from "./timeline.module.css";

/** Pixels below which there is little room, and of a row where fingers point. */
const NARROW = 640;
const ROW = 22;
const ROW_FOR_FINGERS = 30;

export function Timeline() {
  const data = useRun();
  const search = useSearch();
  const navigate = useNavigate();
  const [width, setWidth] = createSignal(0);
  const [turn, setTurn] = createSignal(0);
  let frame!: HTMLDivElement;
  data.needTasks();
  onMount(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(entry!.contentRect.width));
    watch.observe(frame);
    onCleanup(() => watch.disconnect());
  });
  const fingers = matchMedia("(pointer: coarse)").matches;
  const settings = createSettings(() => (fingers ? ROW_FOR_FINGERS : ROW));
  const tried = createTried(data);
  const { flows, areCut } = createFlows(data);
  const picture = createPicture(data, settings, { tried, flows, runAttempts: createRunAttempts(data) });
  const isLive = () => !data.isFinal();
  const camera = createCamera(
    () => picture()?.axis,
    isLive,
    () => setTurn((n) => n + 1),
  );
  const gutter = () =>
    width() < NARROW ? Math.round(Math.max(84, width() * 0.27)) : Math.round(Math.min(260, width() * 0.18));

  const zoom = (factor: number) => {
    if (!picture()) return;
    const view = camera.now(endOf(data));
    camera.zoom(factor, (view.from + view.to) / 2, endOf(data));
  };
  const end = () => picture() && camera.end(endOf(data));
  useKeys(
    { keys: "+", does: "Zoom in", run: () => zoom(0.5) },
    { keys: "-", does: "Zoom out", run: () => zoom(2) },
    { keys: "0", does: "See all of the timeline", run: () => camera.fit() },
    { keys: "e", does: "Go to the end of the timeline, and follow it", run: end },
    { keys: "p", does: "Show the critical path", run: () => settings.setPath(!settings.hasPath()) },
  );
  const open = ({ row, piece, at }: Thing) => {
    if (row.kind === "group" && !at) settings.toggle(row.key, !row.isOpen);
    else if (piece?.isFlow) navigate(paths.run(piece.id, "timeline"));
    else if (piece) search.set({ task: piece.id }, { push: true });
  };
  const isEmpty = () => data.tasksRead() && picture()?.pieces.length === 0;
  const waiting = () =>
    picture()!.pieces.reduce((sum, piece) => sum + Number(!piece.isFlow && !piece.started && !piece.ended), 0);
  const summary = () => {
    const { pieces, steps, axis } = picture()!;
    const tasks = pieces.filter((piece) => !piece.isFlow);
    const flows = pieces.length - tasks.length;
    return `${plural(tasks.length, "task run")}${flows ? ` and ${plural(flows, "subflow run")}` : ""} within ${duration(axis.to - axis.from)}: ${statesIn(tasks)}. At most ${steps.most} ran at once. The tab Tasks has the same as a table.`;
  };
  return (
    <div ref={frame} class={styles.timeline}>
      <Switch fallback={<Loading what="task runs" rows={8} />}>
        <Match when={data.tasksError()}>{(error) => <ErrorNote error={error()} retry={data.reload} />}</Match>
        <Match when={isEmpty()}>
          <Empty icon="clock" title={data.isFinal() ? "This run called no tasks" : "No task has been called yet"}>
            Each call of a task is a bar here, from when it was accepted to when it ended.
          </Empty>
        </Match>
        <Match when={width() && picture()?.pieces.length ? picture() : undefined}>
          {(picture) => (
            <>
              <Toolbar
                settings={settings}
                picture={picture()}
                mode={camera.mode()}
                isLive={isLive()}
                zoom={zoom}
                fit={camera.fit}
                end={end}
              />
              <Chart
                picture={picture()}
                camera={camera}
                isLive={isLive()}
                turn={turn()}
                gutter={gutter()}
                open={open}
                onRoom={settings.setRoom}
              />
              <div class={styles.below}>
                <Show when={!data.tasksRead()}>
                  <span>Reading task runs… {count(data.tasks().version() && data.tasks().size)}</span>
                </Show>
                <Show when={settings.by() === "lanes" && waiting()}>
                  <span>{plural(waiting(), "task run")} wait for their turn; lanes show what has begun.</span>
                </Show>
                <Show when={areCut()}>
                  <span>Of its subflow runs the first {count(MOST_FLOWS)} are shown.</span>
                </Show>
                <Legend picture={picture()} />
              </div>
              <p id="timeline-summary" class="sr-only">
                {summary()}
              </p>
            </>
          )}
        </Match>
      </Switch>
    </div>
  );
}
