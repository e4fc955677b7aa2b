import { createMemo } from "solid-js";
import { Swatch } from "~/components/line-chart-legend";
import { lineLook } from "~/components/line-chart-looks";
import { Empty } from "~/components/notice";
import { VirtualTable } from "~/components/virtual-table";
import type { Column, Sorting } from "~/components/virtual-table";
import { count, measured } from "~/lib/numbers";
import { figuresOf, sortedFigures } from "./model";
import type { Figure, FigureColumn, Source } from "./model";
import styles from "./metrics.module.css";

const number = (key: "last" | "smallest" | "largest" | "mean", title: string): Column<Figure> => ({
  key,
  title,
  width: "minmax(84px, 1fr)",
  right: true,
  sorts: true,
  cell: (row) => (
    <span class="number" title={String(row.series[key] ?? "not a number")}>
      {measured(row.series[key])}
    </span>
  ),
});

const COLUMNS: Column<Figure>[] = [
  {
    key: "key",
    title: "Metric",
    width: "minmax(130px, 2fr)",
    sorts: true,
    cell: (row) => (
      <span class="cut" title={row.key}>
        {row.key}
      </span>
    ),
  },
  number("last", "Last"),
  number("smallest", "Least"),
  number("largest", "Most"),
  { ...number("mean", "Mean"), wideOnly: true },
  {
    key: "count",
    title: "Values",
    width: "80px",
    right: true,
    sorts: true,
    wideOnly: true,
    cell: (row) => <span class="number">{count(row.series.count)}</span>,
  },
];

const RUN: Column<Figure> = {
  key: "run",
  title: "Run",
  width: "minmax(110px, 1.4fr)",
  sorts: true,
  cell: (row) => (
    <span class={styles.runCell} title={row.source.name.slice(0, 500)}>
      <Swatch look={{ ...lineLook(row.place), dash: [] }} />
      <span class="cut">{row.source.name}</span>
    </span>
  ),
};

/** What each metric comes to: last, least, most, mean. */
export function FiguresTable(props: {
  keys: readonly string[];
  sources: readonly Source[];
  sorting: Sorting | undefined;
  onSort: (sorting: Sorting) => void;
}) {
  const rows = createMemo(() =>
    sortedFigures(figuresOf(props.keys, props.sources), props.sorting as { key: FigureColumn; descending: boolean }),
  );
  const columns = () => (props.sources.length > 1 ? [COLUMNS[0]!, RUN, ...COLUMNS.slice(1)] : COLUMNS);
  return (
    <VirtualTable
      label="Metrics"
      rows={rows()}
      columns={columns()}
      rowKey={(row) => `${row.key} ${row.source.id}`}
      sorting={props.sorting}
      onSort={props.onSort}
      empty={<Empty title="No metric has a name like that." />}
    />
  );
}
