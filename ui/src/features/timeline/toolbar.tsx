/** How the timeline is arranged and what is seen of it. */

import { Show } from "solid-js";
import { Button, IconButton } from "~/components/button";
import { Select } from "~/components/field";
import type { Arrangement } from "~/graph/timeline/rows";
import { plural, percent } from "~/lib/numbers";
import { duration } from "~/lib/times";
import type { Mode } from "./camera";
import type { Picture } from "./picture";
import type { Settings } from "./settings";
import styles from "./timeline.module.css";

const ARRANGED: readonly (readonly [Arrangement, string])[] = [
  ["task", "By task"],
  ["flow", "By subflow"],
  ["lanes", "In lanes"],
  ["start", "By start"],
];

export function Toolbar(props: {
  settings: Settings;
  picture: Picture;
  mode: Mode;
  isLive: boolean;
  zoom: (factor: number) => void;
  fit: () => void;
  end: () => void;
}) {
  const told = () => {
    const { path, axis } = props.picture;
    if (!path?.pieces.length) return "";
    const share = percent(path.length, axis.to - axis.from);
    const ran = percent(path.ran, path.length);
    return `${plural(path.pieces.length, "task run")} · ${duration(path.length)}, ${share} of the run · running ${ran} of it`;
  };
  return (
    <div class={styles.toolbar} role="toolbar" aria-label="Timeline">
      <Select
        aria-label="Arrange"
        value={props.settings.by()}
        options={ARRANGED}
        onChange={(event) => props.settings.setBy(event.currentTarget.value as Arrangement)}
      />
      <Button
        kind="plain"
        aria-pressed={props.settings.hasPath()}
        title="The chain of task runs that decided when the run ended"
        onClick={() => props.settings.setPath(!props.settings.hasPath())}
      >
        Critical path
      </Button>
      <Show when={props.picture.hasCuts || props.settings.isTrue()}>
        <Button
          kind="plain"
          aria-pressed={props.settings.isTrue()}
          title="Do not cut out where nothing ran"
          onClick={() => props.settings.setTrue(!props.settings.isTrue())}
        >
          True scale
        </Button>
      </Show>
      <Show when={told()}>
        <span
          class={styles.path}
          title="From when its first task run was accepted to the end of its last; and how much of that one of them ran"
        >
          {told()}
        </span>
      </Show>
      <span class={styles.space} />
      <span class={styles.zoom}>
        <IconButton icon="minus" label="Zoom out" onClick={() => props.zoom(2)} />
        <IconButton icon="plus" label="Zoom in" onClick={() => props.zoom(0.5)} />
        <Button kind="quiet" aria-pressed={props.mode === "fit"} onClick={() => props.fit()}>
          Fit
        </Button>
        <Button
          kind="quiet"
          aria-pressed={props.isLive ? props.mode === "end" : undefined}
          title={props.isLive ? "Stay at what happens now" : "Go to the end"}
          onClick={() => props.end()}
        >
          {props.isLive ? "Follow" : "To the end"}
        </Button>
      </span>
    </div>
  );
}
