/** What can be done to the runs that are selected; each only where it applies to some, and one may. */

import { useNavigate } from "@solidjs/router";
import { For, Show, createSignal } from "solid-js";
import { Button } from "~/components/button";
import type { Run } from "~/data/runs";
import type { IconName } from "~/lib/icons";
import { plural } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { DEEDS, targets } from "./bulk";
import type { Deed } from "./bulk";
import { BulkDialog } from "./bulk-dialog";
import styles from "./bulk-bar.module.css";

/** Runs that are compared at once. */
const FEWEST = 2;
const MOST = 6;

const BUTTONS: Record<Deed, [label: string, icon: IconName]> = {
  cancel: ["Cancel", "slash"],
  resume: ["Resume", "play"],
  delete: ["Delete", "trash"],
};

export function BulkBar(props: { selected: readonly Run[]; mayOperate: boolean; onClear: () => void }) {
  const navigate = useNavigate();
  const [asked, setAsked] = createSignal<{ deed: Deed; runs: readonly Run[] }>();
  const many = (deed: Deed) => targets(deed, props.selected).length;
  return (
    <>
      <Show when={props.selected.length}>
        <div class={styles.bar} role="toolbar" aria-label="Selected runs">
          <span class={styles.count} role="status">
            {plural(props.selected.length, "run")} selected
          </span>
          <Show when={props.selected.length >= FEWEST && props.selected.length <= MOST}>
            <Button onClick={() => navigate(paths.compare(props.selected.map((run) => run.id)))}>Compare</Button>
          </Show>
          <Show when={props.mayOperate}>
            <For each={DEEDS}>
              {(deed) => (
                <Show when={many(deed)}>
                  <Button icon={BUTTONS[deed][1]} onClick={() => setAsked({ deed, runs: props.selected })}>
                    {BUTTONS[deed][0]}
                    <Show when={many(deed) < props.selected.length}>
                      <span class="number">{many(deed)}</span>
                    </Show>
                  </Button>
                </Show>
              )}
            </For>
          </Show>
          <Button kind="quiet" class={styles.clear} onClick={() => props.onClear()}>
            Select none
          </Button>
        </div>
      </Show>
      <Show when={asked()} keyed>
        {(what) => <BulkDialog deed={what.deed} runs={what.runs} onClose={() => setAsked(undefined)} />}
      </Show>
    </>
  );
}
