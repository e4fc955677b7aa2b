import { For, Show, createSignal } from "solid-js";
import { IconButton } from "~/components/button";
import { Icon } from "~/components/icon";
import { Swatch } from "~/components/line-chart-legend";
import { lineLook } from "~/components/line-chart-looks";
import { Picker } from "~/components/picker";
import { Popover } from "~/components/popover";
import { Time } from "~/components/time";
import { useRunChoices } from "~/data/run-choices";
import { MOST_OTHERS } from "./model";
import styles from "./metrics.module.css";

export interface Laid {
  id: string;
  name: string;
  /** What is wrong with it; "" otherwise. */
  problem: string;
  /** Why it may be older than what is so now; "" otherwise. */
  asOf: string;
  again?: () => void;
}

/** The runs in the picture, with their colours, where there are several. */
export function LaidRuns(props: { runs: readonly Laid[]; onOthers: (ids: string[]) => void }) {
  const others = () => props.runs.slice(1).map((run) => run.id);
  return (
    <Show when={props.runs.length > 1}>
      <div class={styles.laid}>
        <For each={props.runs}>
          {(run, place) => (
            <span class={styles.chip} classList={{ [styles.wrong!]: Boolean(run.problem) }}>
              <Swatch look={{ ...lineLook(place()), dash: [] }} />
              <span class="cut" title={(run.problem || run.name).slice(0, 500)}>
                {run.problem || run.name}
              </span>
              <Show when={run.asOf}>
                <IconButton icon="refresh" label={`${run.asOf} Read ${run.name} again`} onClick={() => run.again?.()} />
              </Show>
              <Show when={place()}>
                <IconButton
                  icon="cross"
                  label={`Take ${run.name} away`}
                  onClick={() => props.onOthers(others().filter((id) => id !== run.id))}
                />
              </Show>
            </span>
          )}
        </For>
      </div>
    </Show>
  );
}

/** Finds other runs of the flow, to lay them over the one whose page it is. */
export function LayOver(props: {
  flow: string;
  run: string;
  others: readonly string[];
  onOthers: (ids: string[]) => void;
}) {
  const [text, setText] = createSignal("");
  const [wanted, setWanted] = createSignal(false);
  const choices = useRunChoices(() => props.flow, text, wanted);
  return (
    <div onFocusIn={() => setWanted(true)} onClick={() => setWanted(true)}>
      <Popover
        label="Runs to lay over this one"
        button={
          <>
            <Icon name="plus" size={14} /> Add runs
          </>
        }
      >
        {() => (
          <Picker
            label="Runs to lay over this one"
            placeholder="Name of a run"
            text={text()}
            onText={setText}
            choices={choices
              .runs()
              .filter((run) => run.id !== props.run)
              .map((run) => ({
                id: run.id,
                label: run.name,
                about: <Time at={run.created} />,
                state: { state: run.state, name: run.state_name },
                isPicked: props.others.includes(run.id),
              }))}
            full={
              props.others.length >= MOST_OTHERS ? `No more than ${MOST_OTHERS} runs can be laid over one.` : undefined
            }
            nothing={choices.query.isPending ? "Reading…" : `No other run of ${props.flow} has a name like that.`}
            onPick={(choice) =>
              props.onOthers(
                choice.isPicked ? props.others.filter((id) => id !== choice.id) : [...props.others, choice.id],
              )
            }
          />
        )}
      </Popover>
    </div>
  );
}
