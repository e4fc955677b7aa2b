/** What can be done to the run, as buttons and keys. Who may not operate runs sees none of it. */

import { Show } from "solid-js";
import { Button } from "~/components/button";
import { Icon } from "~/components/icon";
import { Menu } from "~/components/menu";
import type { MenuItem } from "~/components/menu";
import { tell, tellProblem } from "~/components/toasts";
import type { FullRun } from "~/data/run";
import { copy } from "~/lib/copying";
import { useKeys } from "~/lib/keys";
import { forShell } from "./actions-model";
import type { Action } from "./actions-model";
import { useDialogs } from "./dialogs";
import styles from "./action-bar.module.css";

export function ActionBar(props: { run: FullRun; root: FullRun; possible: Set<Action> }) {
  const dialogs = useDialogs();
  const can = (action: Action) => props.possible.has(action);
  const isAsked = () => props.root.requests.includes("cancel") || props.root.state === "CANCELLING";
  const again = (): MenuItem[] => [
    { label: "Same parameters…", icon: "rerun", run: () => dialogs.ask("same") },
    { label: "Changed parameters…", icon: "settings", run: () => dialogs.ask("again") },
  ];
  const copied = (text: string): MenuItem => ({
    label: `Copy: ${text}`,
    icon: "copy",
    run: () => void copy(text).then((done) => (done ? tell("Copied.") : tellProblem("It could not be copied."))),
  });
  const more = (): MenuItem[] => [
    copied(`nadi logs ${forShell(props.run)} -f`),
    copied(`nadi resume ${forShell(props.root)}`),
    ...(can("delete")
      ? [{ label: "Delete the run…", icon: "trash" as const, isDanger: true, run: () => dialogs.ask("delete") }]
      : []),
  ];
  useKeys(
    { keys: "c", does: "Cancel the run", run: () => can("cancel") && dialogs.ask("cancel") },
    { keys: "r", does: "Resume the run", run: () => can("resume") && dialogs.ask("resume") },
    { keys: "a", does: "Run the flow again", run: () => can("again") && dialogs.ask("same") },
  );
  return (
    <div class={styles.bar} role="group" aria-label="What can be done">
      <Show when={can("resume")}>
        <Button kind="primary" icon="play" title="Resume (r)" onClick={() => dialogs.ask("resume")}>
          Resume
        </Button>
      </Show>
      <Show when={can("retry")}>
        <Button icon="rerun" onClick={() => dialogs.ask("retry")}>
          From a task…
        </Button>
      </Show>
      <Show when={can("cancel")}>
        <Button icon="slash" title="Cancel (c)" onClick={() => dialogs.ask("cancel")}>
          {isAsked() ? "Cancel again…" : "Cancel"}
        </Button>
      </Show>
      <Show when={can("again")}>
        <Menu
          label="Run again"
          button={
            <>
              <Icon name="refresh" />
              Run again
              <Icon name="down" size={12} />
            </>
          }
          items={again()}
        />
      </Show>
      <Menu label="More to do" button={<Icon name="dots" />} items={more()} />
    </div>
  );
}
