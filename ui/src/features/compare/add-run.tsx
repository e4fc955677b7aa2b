import { createSignal } from "solid-js";
import { Icon } from "~/components/icon";
import { Picker } from "~/components/picker";
import { Popover } from "~/components/popover";
import { Time } from "~/components/time";
import { useRunChoices } from "~/data/run-choices";
import type { Compared } from "./compared";
import { MOST_RUNS } from "./values";

/** Finds runs to compare, by any part of their names or of their flow's. */
export function AddRun(props: { runs: readonly Compared[]; onRuns: (ids: string[]) => void }) {
  const [text, setText] = createSignal("");
  const [wanted, setWanted] = createSignal(false);
  const ids = () => props.runs.map((one) => one.id);
  // Until one looks for something, runs of the flow of the first are what one most likely wants.
  const flow = () => (text().trim() ? "" : (props.runs[0]?.run()?.flow ?? ""));
  const choices = useRunChoices(flow, text, wanted);
  return (
    <div onFocusIn={() => setWanted(true)} onClick={() => setWanted(true)}>
      <Popover
        label="Runs to compare"
        button={
          <>
            <Icon name="plus" size={14} /> Add a run
          </>
        }
      >
        {() => (
          <Picker
            label="Runs to compare"
            placeholder="Name of a run or flow"
            text={text()}
            onText={setText}
            choices={choices.runs().map((run) => ({
              id: run.id,
              label: flow() ? run.name : `${run.name} of ${run.flow}`,
              about: <Time at={run.created} />,
              state: { state: run.state, name: run.state_name },
              isPicked: ids().includes(run.id),
            }))}
            full={ids().length >= MOST_RUNS ? `No more than ${MOST_RUNS} runs are compared at once.` : undefined}
            nothing={choices.query.isPending ? "Reading…" : "No run has a name like that."}
            onPick={(choice) =>
              props.onRuns(choice.isPicked ? ids().filter((id) => id !== choice.id) : [...ids(), choice.id])
            }
          />
        )}
      </Popover>
    </div>
  );
}
