/** How large the graph is shown: buttons, and the keys for the same. */

import { IconButton } from "~/components/button";
import { useKeys } from "~/lib/keys";
import type { CameraControl } from "./use-camera";
import styles from "./dag-view.module.css";

/** How many times as large or small it becomes at once. */
const TURN = 1.35;

export function DagZoom(props: { control: CameraControl }) {
  const { control } = props;
  const percent = () => Math.round(control.camera().k * 100);
  const larger = () => control.zoomBy(TURN);
  const smaller = () => control.zoomBy(1 / TURN);
  const whole = () => control.zoomTo(1);
  useKeys(
    { keys: "f", does: "Fit the graph", run: control.fit },
    { keys: "0", does: "Show the graph at 100 %", run: whole },
    { keys: "+", does: "Zoom in", run: larger },
    { keys: "-", does: "Zoom out", run: smaller },
  );
  return (
    <div class={styles.tools} role="group" aria-label="Zoom">
      <IconButton icon="minus" label="Zoom out (-)" onClick={smaller} />
      <button
        type="button"
        class={styles.scale}
        title="Show at 100 % (0)"
        aria-label={`Scale ${percent()} %: show at 100 %`}
        onClick={whole}
      >
        {percent()} %
      </button>
      <IconButton icon="plus" label="Zoom in (+)" onClick={larger} />
      <IconButton icon="expand" label="Fit (f)" onClick={() => control.fit()} />
    </div>
  );
}
