/** Reading the metrics of a run, and hearing of new values. */

import { createEffect, createSignal, on, onCleanup } from "solid-js";
import type { Accessor } from "solid-js";
import { answered, api } from "~/lib/http";
import { live } from "~/lib/live";
import type { MetricNews } from "~/lib/live";
import { seriesOf } from "./metric-series";
import { MetricTable } from "./metric-table";

/** Points of each series that one answer has. */
export const POINTS = 1_000;

/** Read the metrics of a run into a table. */
export async function readMetrics(run: string, table: MetricTable, signal: AbortSignal): Promise<void> {
  let [after, more] = [0, true];
  while (more) {
    const page = await answered(
      api.GET("/api/flow-runs/{run}/metrics", {
        params: { path: { run }, query: { after, points: POINTS } },
        signal,
      }),
    );
    after = page.after;
    more = page.more;
    table.take(page.series.map(seriesOf), after);
  }
}

export interface RunMetrics {
  table: Accessor<MetricTable>;
  isRead: Accessor<boolean>;
  error: Accessor<Error | null>;
  again: () => void;
}

/**
 * The metrics of a run, while the component that calls this is there.
 *
 * @param belongs Whether what the stream tells of a flow run is told of this one; not given where the stream follows
 * another run: then what was read stays.
 */
export function createMetrics(run: Accessor<string>, belongs?: (flowRun: string) => boolean): RunMetrics {
  const [table, setTable] = createSignal(new MetricTable());
  const [isRead, setIsRead] = createSignal(false);
  const [error, setError] = createSignal<Error | null>(null);
  const [round, setRound] = createSignal(0);
  let heard: MetricNews[] = [];
  const again = () => setRound((n) => n + 1);
  createEffect(
    on([run, round], ([id]) => {
      const made = setTable(new MetricTable());
      const reading = new AbortController();
      heard = [];
      setIsRead(false);
      setError(null);
      onCleanup(() => reading.abort());
      readMetrics(id, made, reading.signal).then(
        () => {
          if (reading.signal.aborted) return;
          // What was told while it was read and is in no page.
          made.hear(heard);
          heard = [];
          setIsRead(true);
        },
        (problem: Error) => {
          if (reading.signal.aborted) return;
          // It is read again from its beginning, and with it all that is told until then.
          heard = [];
          setError(problem);
        },
      );
    }),
  );
  if (belongs) {
    live.hear("metrics", (items) => {
      const own = items.filter((item) => belongs(item.run));
      if (isRead()) table().hear(own);
      else if (!error()) heard.push(...own);
    });
    live.hear("reset", again);
  }
  return { table, isRead, error, again };
}
