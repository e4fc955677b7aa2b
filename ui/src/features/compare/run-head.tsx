import { A } from "@solidjs/router";
import { For, Show } from "solid-js";
import { IconButton } from "~/components/button";
import { Swatch } from "~/components/line-chart-legend";
import { lineLook } from "~/components/line-chart-looks";
import { StateBadge } from "~/components/state-badge";
import { Time } from "~/components/time";
import { paths } from "~/lib/paths";
import type { Compared } from "./compared";
import styles from "./compare.module.css";

/** Which run stands in which column. The first is the one that the others are held against. */
export function RunHead(props: { runs: readonly Compared[]; onRuns: (ids: string[]) => void }) {
  const ids = () => props.runs.map((run) => run.id);
  const name = (run: Compared) => run.run()?.name ?? run.id;
  return (
    <thead>
      <tr>
        <td class={styles.corner} />
        <For each={props.runs}>
          {(one, place) => (
            <th scope="col" class={styles.run}>
              <div class={styles.runTop}>
                <Swatch look={{ ...lineLook(place()), dash: [] }} />
                <Show
                  when={one.run()}
                  fallback={
                    <span class="cut soft" title={one.id}>
                      …{one.id.slice(-12)}
                    </span>
                  }
                >
                  {(run) => (
                    <A class="cut" href={paths.run(one.id)} title={run().name.slice(0, 500)}>
                      {run().name.slice(0, 200)}
                    </A>
                  )}
                </Show>
                <span class={styles.runTools}>
                  <Show when={place()}>
                    <IconButton
                      icon="left"
                      label={`Hold the others against ${name(one)}`}
                      onClick={() => props.onRuns([one.id, ...ids().filter((id) => id !== one.id)])}
                    />
                  </Show>
                  <IconButton
                    icon="cross"
                    label={`Take ${name(one)} away`}
                    onClick={() => props.onRuns(ids().filter((id) => id !== one.id))}
                  />
                </span>
              </div>
              <div class={styles.runAbout}>
                <Show
                  when={one.run()}
                  fallback={
                    <Show when={one.error()} fallback={<span class="soft">Reading…</span>}>
                      {(error) => <span class={`${styles.gone} told`}>{error().message}</span>}
                    </Show>
                  }
                >
                  {(run) => (
                    <>
                      <StateBadge state={run().state} name={run().state_name} />
                      <A class="cut" href={paths.flow(run().flow)} title={run().flow.slice(0, 500)}>
                        {run().flow.slice(0, 100)}
                      </A>
                      <Time at={run().created} />
                    </>
                  )}
                </Show>
              </div>
              <Show when={one.problem()}>{(problem) => <p class={`${styles.gone} told`}>{problem().message}</p>}</Show>
            </th>
          )}
        </For>
      </tr>
    </thead>
  );
}
