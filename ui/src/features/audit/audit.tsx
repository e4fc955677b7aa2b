/** The audit log: who changed what, when and from where, and who was not let. */

import { Show, createMemo, createSignal } from "solid-js";
import { Button } from "~/components/button";
import { Dialog } from "~/components/dialog";
import { Input } from "~/components/field";
import { Icon } from "~/components/icon";
import { Empty, ErrorNote, Loading } from "~/components/notice";
import { Page } from "~/components/page";
import { Time } from "~/components/time";
import { VirtualTable } from "~/components/virtual-table";
import type { Column } from "~/components/virtual-table";
import { useSearch } from "~/lib/search";
import { useAudit } from "./api";
import type { Entry } from "./api";
import { actionWords, asLines, detailLine, wasRefused, whoBy } from "./entries";
import styles from "./audit.module.css";

const COLUMNS: Column<Entry>[] = [
  { key: "at", title: "When", width: "150px", cell: (entry) => <Time at={entry.at} exact /> },
  {
    key: "action",
    title: "What",
    width: "minmax(110px, 1fr)",
    cell: (entry) => (
      <>
        <Show when={wasRefused(entry)}>
          <span class={styles.refused}>
            <Icon name="slash" size={13} />
            <span class="sr-only">Refused: </span>
          </span>
        </Show>
        <span class="cut" title={entry.action}>
          {actionWords(entry.action)}
        </span>
      </>
    ),
  },
  {
    key: "subject",
    title: "Subject",
    width: "minmax(90px, 1.2fr)",
    cell: (entry) => (
      <span class="cut mono" title={entry.subject.slice(0, 500)}>
        {entry.subject}
      </span>
    ),
  },
  {
    key: "who",
    title: "Who",
    width: "minmax(100px, 1fr)",
    cell: (entry) => (
      <span class="cut" title={whoBy(entry)}>
        {whoBy(entry)}
      </span>
    ),
  },
  {
    key: "origin",
    title: "From",
    width: "110px",
    wideOnly: true,
    cell: (entry) => <span class="cut mono">{entry.origin}</span>,
  },
  {
    key: "detail",
    title: "Details",
    width: "minmax(100px, 1.6fr)",
    wideOnly: true,
    cell: (entry) => <span class="cut soft">{detailLine(entry.detail)}</span>,
  },
  {
    key: "status",
    title: "Answer",
    width: "62px",
    right: true,
    wideOnly: true,
    cell: (entry) => <span class="number">{entry.status || ""}</span>,
  },
];

export function Audit() {
  const search = useSearch();
  const [open, setOpen] = createSignal<Entry>();
  const query = useAudit(() => ({
    who: search.one("who"),
    action: search.one("action"),
    subject: search.one("subject"),
  }));
  const entries = createMemo(() => query.data?.pages.flat() ?? []);
  const isFiltered = () => ["who", "action", "subject"].some((name) => search.one(name));
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([asLines(entries())], { type: "application/x-ndjson" }));
    link.download = "nadi-audit.jsonl";
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const filter = (name: string, label: string) => (
    <Input
      aria-label={label}
      placeholder={label}
      value={search.one(name)}
      onChange={(event) => search.set({ [name]: event.currentTarget.value.trim() })}
    />
  );
  return (
    <Page
      title="Audit"
      full
      aside={
        <Button icon="download" disabled={!entries().length} onClick={save}>
          Save what is loaded
        </Button>
      }
    >
      <search class={styles.filters}>
        {filter("who", "Who")}
        {filter("action", "What, such as add_user")}
        {filter("subject", "Subject, such as a user or a run")}
        <Show when={isFiltered()}>
          <Button kind="quiet" icon="cross" onClick={() => search.set({ who: "", action: "", subject: "" })}>
            Clear
          </Button>
        </Show>
      </search>
      <Show when={query.error}>{(error) => <ErrorNote error={error()} retry={() => query.refetch()} />}</Show>
      <Show
        when={query.data}
        fallback={
          <Show when={!query.error}>
            <Loading what="the audit log" rows={8} />
          </Show>
        }
      >
        <div class={styles.list}>
          <VirtualTable
            label="Audit log"
            rows={entries()}
            columns={COLUMNS}
            rowKey={(entry) => String(entry.seq)}
            onOpen={setOpen}
            onEnd={() => query.hasNextPage && !query.isFetching && void query.fetchNextPage()}
            empty={<Empty icon="audit" title={isFiltered() ? "No entry is like that." : "Nothing was changed yet."} />}
          />
        </div>
      </Show>
      <Dialog
        open={open() !== undefined}
        title={actionWords(open()?.action ?? "")}
        onClose={() => setOpen(undefined)}
        wide
      >
        <pre class={styles.detail} tabIndex={0}>
          {JSON.stringify(open() ?? null, null, 2)}
        </pre>
      </Dialog>
    </Page>
  );
}
