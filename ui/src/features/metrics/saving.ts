/** The values of metrics as a file. */

import { answered, api } from "~/lib/http";
import { csv } from "~/lib/csv";
import { seriesOf } from "~/data/metric-series";
import { utc } from "~/lib/times";

/** The most points of a series that the server gives at once. */
const MOST = 5_000;

export interface Saved {
  text: string;
  /** Metrics of which some values were left out. */
  thinned: number;
}

/** Read all metrics of some runs, and tell them as CSV: one line for each value. */
export async function metricsAsCsv(
  runs: readonly { id: string; name: string }[],
  fits: (key: string) => boolean,
): Promise<Saved> {
  const rows: unknown[][] = [];
  let thinned = 0;
  for (const run of runs) {
    let [after, more] = [0, true];
    while (more) {
      const page = await answered(
        api.GET("/api/flow-runs/{run}/metrics", {
          params: { path: { run: run.id }, query: { after, points: MOST } },
        }),
      );
      for (const told of page.series) {
        if (!fits(told.key)) continue;
        const series = seriesOf(told);
        if (series.points.length < series.count) thinned += 1;
        for (const { step, value, at } of series.points)
          rows.push([run.id, run.name, series.key, step, value, at ? utc(at) : null]);
      }
      after = page.after;
      more = page.more;
    }
  }
  return { text: csv(["run", "run_name", "metric", "step", "value", "at"], rows), thinned };
}
