import { createMemo } from "solid-js";
import { placeText, valueText } from "./line-chart-data";
import type { Aligned, XKind } from "./line-chart-data";
import { VirtualTable } from "./virtual-table";
import type { Column } from "./virtual-table";

/** What a chart draws, as rows: one for each place on its x axis. */
export function LineTable(props: {
  label: string;
  series: readonly { label: string }[];
  data: Aligned;
  xKind: XKind;
  xLabel?: string;
  unit?: string;
}) {
  const rows = createMemo(() => props.data[0].map((_, n) => n));
  const columns = createMemo((): Column<number>[] => [
    {
      key: "x",
      title: props.xLabel ?? (props.xKind === "number" ? "Step" : "Time"),
      width: "minmax(80px, 1fr)",
      cell: (row) => <span class="number">{placeText(props.data[0][row] ?? 0, props.xKind)}</span>,
    },
    ...props.series.map((one, n) => ({
      key: `y${n}`,
      title: one.label,
      width: "minmax(90px, 1fr)",
      right: true,
      cell: (row: number) => <span class="number">{valueText(props.data[n + 1]?.[row], props.unit)}</span>,
    })),
  ]);
  return <VirtualTable label={props.label} rows={rows()} columns={columns()} rowKey={String} rowHeight={28} />;
}
