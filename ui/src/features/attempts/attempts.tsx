/** The attempts of a run, the newest first, and what processes that had lost it still said. */

import { useQuery } from "@tanstack/solid-query";
import { For, Show, createEffect, createMemo, on } from "solid-js";
import { CopyButton } from "~/components/copy-button";
import { Empty, ErrorNote, Loading } from "~/components/notice";
import { StateBadge } from "~/components/state-badge";
import { Time, Took } from "~/components/time";
import { known } from "~/data/queries";
import { useRun } from "~/data/run";
import { answered, api } from "~/lib/http";
import { live } from "~/lib/live";
import { plural } from "~/lib/numbers";
import { attemptRows } from "./attempts-model";
import styles from "./attempts.module.css";

export function Attempts() {
  const { id, run } = useRun();
  const path = () => ({ path: { run: id() } });
  const attempts = useQuery(() => ({
    queryKey: ["attempts", id()],
    queryFn: ({ signal }) => answered(api.GET("/api/flow-runs/{run}/attempts", { params: path(), signal })),
  }));
  const superseded = useQuery(() => ({
    queryKey: ["superseded", id()],
    queryFn: ({ signal }) => answered(api.GET("/api/flow-runs/{run}/superseded", { params: path(), signal })),
  }));
  const again = () => {
    void attempts.refetch();
    void superseded.refetch();
  };
  createEffect(on(() => `${run()?.state} ${run()?.state_name} ${run()?.attempt}`, again, { defer: true }));
  live.hear("reset", again);
  const rows = createMemo(() => attemptRows(known(attempts) ?? [], known(superseded) ?? [], id()));
  return (
    <Show
      when={known(attempts)}
      fallback={
        <Show when={attempts.error} fallback={<Loading what="the attempts" />}>
          {(problem) => <ErrorNote error={problem()} retry={again} />}
        </Show>
      }
    >
      <div class={styles.frame} tabIndex={0} role="region" aria-label="Attempts">
        <Show
          when={rows().length}
          fallback={
            <Empty title="It has no attempt yet." icon="clock">
              Once a process takes it up, its attempts are here.
            </Empty>
          }
        >
          <ol class={styles.list}>
            <For each={rows()}>
              {(row) => (
                <li class={styles.row} data-newest={row.isNewest}>
                  <span class={`${styles.n} number`}>{row.attempt}</span>
                  <div class={styles.what}>
                    <p class={styles.line}>
                      <Show when={row.state} fallback={<span class="soft">Nothing was recorded of it.</span>}>
                        <StateBadge state={row.state} name={row.stateName} />
                      </Show>
                      <Show when={row.isNewest && rows().length > 1}>
                        <span class="soft">the newest</span>
                      </Show>
                      <span>
                        <span class="soft">took</span> <Took started={row.started} ended={row.ended} />
                      </span>
                      <span class="soft">
                        <Time at={row.started} exact />
                        <Show when={row.ended}>
                          {" to "}
                          <Time at={row.ended} exact />
                        </Show>
                      </span>
                    </p>
                    <Show when={row.message}>
                      <p class={`${styles.message} told`}>
                        {row.message.slice(0, 1000)}
                        <CopyButton text={row.message} label={`Copy the message of attempt ${row.attempt}`} />
                      </p>
                    </Show>
                    <For each={row.late}>
                      {(late) => (
                        <p class={`${styles.late} told`}>
                          <b>Superseded</b>: a process that had lost the run said{" "}
                          <StateBadge state={late.state} name={late.state_name} />{" "}
                          <Show when={late.run !== id()}>of a flow run below it </Show>
                          <Time at={late.at} />. It came too late and changed nothing.
                          <Show when={late.message}> {late.message.slice(0, 500)}</Show>
                        </p>
                      )}
                    </For>
                  </div>
                </li>
              )}
            </For>
          </ol>
        </Show>
        <Show when={(known(superseded)?.length ?? 0) > 0}>
          <p class={styles.note}>
            {plural(known(superseded)!.length, "message")} came from a process whose place another one had taken, such
            as after a long sleep of its machine. Whoever holds the run decides; what others say is kept here and counts
            for nothing.
          </p>
        </Show>
      </div>
    </Show>
  );
}
