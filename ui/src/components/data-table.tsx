/** A table that a run told, of any length: sorted, filtered, saved, and each row in full when it is opened. */

import { For, Show, createMemo, createSignal } from "solid-js";
import { csv, tsv } from "~/lib/csv";
import { copy } from "~/lib/copying";
import { count, plural } from "~/lib/numbers";
import { save } from "~/lib/saving";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Input } from "./field";
import { Icon } from "./icon";
import { Empty } from "./notice";
import { cellText, looksOf, rowsWith, sortedRows } from "./table-data";
import type { TableData } from "./table-data";
import { tell, tellProblem } from "./toasts";
import { VirtualTable } from "./virtual-table";
import type { Column, Sorting } from "./virtual-table";
import styles from "./data-table.module.css";

/** Characters of a cell that are shown in its row. */
const SHOWN = 300;

export function DataTable(props: {
  label: string;
  table: TableData;
  /** Of the file it is saved as, without ending. */
  fileName: string;
  sorting?: Sorting;
  onSort?: (sorting: Sorting) => void;
  filter?: string;
  onFilter?: (text: string) => void;
}) {
  const [ownSorting, setOwnSorting] = createSignal<Sorting>();
  const [ownFilter, setOwnFilter] = createSignal("");
  const [opened, setOpened] = createSignal<number>();
  const sorting = () => (props.onSort ? props.sorting : ownSorting());
  const filter = () => (props.onFilter ? (props.filter ?? "") : ownFilter());
  const setFilter = (text: string) => (props.onFilter ? props.onFilter(text) : setOwnFilter(text));

  const found = createMemo(() => rowsWith(props.table, filter()));
  const rows = createMemo(() => {
    const by = sorting();
    const column = by ? Number(by.key) : -1;
    if (!by || !(column in props.table.columns)) return found();
    return sortedRows(found(), (row) => props.table.rows[row]![column], by.descending);
  });
  const columns = createMemo((): Column<number>[] => {
    const looks = looksOf(props.table);
    return props.table.columns.map((name, n) => ({
      key: String(n),
      title: name.slice(0, SHOWN),
      width: looks[n]!.width,
      right: looks[n]!.isNumeric,
      sorts: true,
      cell: (row) => <Cell value={props.table.rows[row]![n]} />,
    }));
  });
  const shown = () => rows().map((row) => props.table.rows[row]!);
  const onCopy = async () => {
    if (await copy(tsv(props.table.columns, shown()))) tell(`${plural(rows().length, "row")} copied.`);
    else tellProblem("The table could not be copied.");
  };
  return (
    <div class={styles.box}>
      <div class={styles.tools}>
        <div class={styles.filter}>
          <Icon name="filter" />
          <Input
            type="search"
            aria-label={`Filter rows of ${props.label}`}
            placeholder="Filter rows"
            value={filter()}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </div>
        <span class="soft number" role="status">
          {found().length === props.table.rows.length
            ? plural(props.table.rows.length, "row")
            : `${count(found().length)} of ${plural(props.table.rows.length, "row")}`}
        </span>
        <span class={styles.space} />
        <Button icon="copy" onClick={() => void onCopy()}>
          Copy
        </Button>
        <Button
          icon="download"
          onClick={() =>
            save(new Blob([csv(props.table.columns, shown())], { type: "text/csv" }), `${props.fileName}.csv`)
          }
        >
          CSV
        </Button>
      </div>
      <div class={styles.table} style={{ height: `${Math.min(rows().length, 24) * 30 + 46}px` }}>
        <VirtualTable
          label={props.label}
          rows={rows()}
          columns={columns()}
          rowKey={String}
          rowHeight={30}
          sorting={sorting()}
          onSort={(by) => (props.onSort ? props.onSort(by) : setOwnSorting(by))}
          onOpen={setOpened}
          empty={<Empty icon="filter" title={filter() ? "No row has that." : "The table has no rows."} />}
        />
      </div>
      <Dialog
        open={opened() !== undefined}
        title={`Row ${count((opened() ?? 0) + 1)}`}
        onClose={() => setOpened(undefined)}
        wide
      >
        <dl class={styles.row}>
          <For each={props.table.columns}>
            {(name, n) => (
              <>
                <dt class="told">{name}</dt>
                <dd class="told" dir="auto">
                  {cellText(props.table.rows[opened() ?? -1]?.[n()]) || <span class="soft">empty</span>}
                </dd>
              </>
            )}
          </For>
        </dl>
      </Dialog>
    </div>
  );
}

function Cell(props: { value: unknown }) {
  const text = () => cellText(props.value);
  return (
    <Show when={text()} fallback={<span class="soft">–</span>}>
      <span
        class="cut"
        classList={{ number: typeof props.value === "number", mono: typeof props.value === "object" }}
        title={text().length > 20 ? text().slice(0, 500) : undefined}
      >
        {text().slice(0, SHOWN)}
      </span>
    </Show>
  );
}
