/** When runs were made: so far back from now, or from one time to another. */

import { For, Show, createSignal } from "solid-js";
import { Button } from "~/components/button";
import { Field, Input } from "~/components/field";
import { exact, secondsOf } from "~/lib/times";
import { PRESETS, timeTold, told } from "./view";
import type { View } from "./view";
import styles from "./filter-bar.module.css";

type Time = Pick<View, "last" | "since" | "until">;

/** A time as a field for date and time has it, in the zone of whoever looks. */
function forField(time: string): string {
  const seconds = time ? secondsOf(time) : 0;
  return seconds ? exact(seconds).replace(" ", "T") : "";
}

function fromField(value: string): string {
  const milliseconds = Date.parse(value); // without a zone that is local time
  return Number.isNaN(milliseconds) ? "" : told(milliseconds / 1000);
}

export function TimeFilter(props: { view: View; onChange: (time: Time) => void }) {
  const [since, setSince] = createSignal(forField(props.view.since));
  const [until, setUntil] = createSignal(forField(props.view.until));
  const problem = () => (since() && until() && since() >= until() ? "This is not after the first time." : "");
  return (
    <form
      class={styles.panel}
      onSubmit={(event) => {
        event.preventDefault();
        if (!problem()) props.onChange({ last: "", since: fromField(since()), until: fromField(until()) });
      }}
    >
      <div class={styles.row}>
        <For each={PRESETS}>
          {([name, label]) => (
            <Button
              aria-pressed={props.view.last === name}
              onClick={() => props.onChange({ last: name, since: "", until: "" })}
            >
              {label}
            </Button>
          )}
        </For>
        <Show when={timeTold(props.view)}>
          <Button onClick={() => props.onChange({ last: "", since: "", until: "" })}>Any time</Button>
        </Show>
      </div>
      <Field label="Made at or after">
        {(ids) => (
          <Input
            {...ids}
            type="datetime-local"
            step="1"
            value={since()}
            onInput={(event) => setSince(event.currentTarget.value)}
          />
        )}
      </Field>
      <Field label="Made before" error={problem()}>
        {(ids) => (
          <Input
            {...ids}
            type="datetime-local"
            step="1"
            value={until()}
            onInput={(event) => setUntil(event.currentTarget.value)}
          />
        )}
      </Field>
      <Button kind="primary" type="submit" disabled={!since() && !until()}>
        Use these times
      </Button>
    </form>
  );
}
