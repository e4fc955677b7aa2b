/** The metrics of a run, of which there may be hundreds: each changes for itself, so that only its chart is drawn. */

import { createSignal } from "solid-js";
import type { Accessor, Setter } from "solid-js";
import type { MetricNews } from "~/lib/live";
import { joined, seriesOfNews } from "./metric-series";
import type { MetricSeries } from "./metric-series";

export class MetricTable {
  /** Grows when a metric comes that was not there before. */
  readonly version: Accessor<number>;
  /** Grows with each value. */
  readonly changes: Accessor<number>;
  private readonly setVersion: Setter<number>;
  private readonly setChanges: Setter<number>;
  private readonly byKey = new Map<string, { series: Accessor<MetricSeries>; set: (to: MetricSeries) => void }>();
  /** Number of the last value that is in it. */
  private after = 0;

  constructor() {
    [this.version, this.setVersion] = createSignal(0);
    [this.changes, this.setChanges] = createSignal(0);
  }

  /** Names, in the order in which they first appeared. Tracked. */
  keys(): string[] {
    this.version();
    return [...this.byKey.keys()];
  }

  /** Tracked. */
  series(key: string): MetricSeries | undefined {
    const known = this.byKey.get(key);
    if (!known) this.version();
    return known?.series();
  }

  /** Take a page, or all that came after it, up to the value with the number `after`. */
  take(series: readonly MetricSeries[], after: number): void {
    for (const one of series) {
      const known = this.byKey.get(one.key);
      if (known) known.set(joined(known.series(), one));
      else {
        const [read, set] = createSignal(one);
        this.byKey.set(one.key, { series: read, set: (to) => set(() => to) });
        this.setVersion((version) => version + 1);
      }
    }
    this.after = Math.max(this.after, after);
    if (series.length) this.setChanges((changes) => changes + 1);
  }

  /** Take what the stream told, without what is there already. */
  hear(news: readonly MetricNews[]): void {
    const fresh = news.filter((one) => one.number > this.after);
    if (fresh.length) this.take(seriesOfNews(fresh), fresh.at(-1)!.number);
  }
}
