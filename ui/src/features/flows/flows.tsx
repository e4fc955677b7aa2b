/** The list of flows, live. */

import { useNavigate } from "@solidjs/router";
import { Show, createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";
import { Input } from "~/components/field";
import { Icon } from "~/components/icon";
import { Empty, ErrorNote, Loading } from "~/components/notice";
import { Page } from "~/components/page";
import { VirtualTable } from "~/components/virtual-table";
import type { TableHandle } from "~/components/virtual-table";
import { orderOf, orderTold, ordered } from "~/data/flow-list";
import type { Flow, Sort } from "~/data/flow-list";
import { MOST_SORTED, useFlows } from "~/data/flows";
import { useKeys } from "~/lib/keys";
import { plural } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { createNow } from "~/lib/times";
import { FlowCard, columns } from "./columns";
import styles from "./flows.module.css";

/** Milliseconds after the last letter until it is looked for. */
const SETTLED = 200;

export function Flows() {
  const navigate = useNavigate();
  const search = useSearch();
  const text = () => search.one("text");
  const order = createMemo(() => orderOf(search.one("sort")));
  const now = createNow(5_000);
  const { query, flows, more } = useFlows(text, () => isSorted());
  const rows = createMemo(() => ordered(flows(), order()));
  const table = columns(now);
  let entry!: HTMLInputElement;
  let handle: TableHandle<Flow> | undefined;
  useKeys(
    { keys: "f", does: "Search flows", run: () => entry.focus() },
    { keys: "j", does: "Next flow", run: () => handle?.step(1) },
    { keys: "k", does: "Flow before", run: () => handle?.step(-1) },
  );
  const isSorted = () => order().key !== "name" || order().descending;
  const told = () => {
    if (!more()) return `${plural(flows().length, "flow")}${text() ? " found" : ""}`;
    const first = `The first ${plural(flows().length, "flow")}`;
    if (!isSorted()) return first;
    return flows().length < MOST_SORTED ? `${first}; the others are being read` : `${first} by name; search for others`;
  };
  return (
    <Page title="Flows" full>
      <div class={styles.bar}>
        <SearchBox text={text()} onText={(told) => search.set({ text: told })} entry={(element) => (entry = element)} />
        <Show when={flows().length}>
          <p class={styles.told} role="status">
            {told()}
          </p>
        </Show>
      </div>
      <Show when={query.error}>{(error) => <ErrorNote error={error()} retry={() => void query.refetch()} />}</Show>
      <Show
        when={!query.isPending}
        fallback={
          <Show when={!query.error}>
            <Loading what="flows" rows={8} />
          </Show>
        }
      >
        <VirtualTable
          label="Flows"
          rows={rows()}
          columns={table}
          rowKey={(flow) => flow.name}
          rowHeight={38}
          card={(flow) => <FlowCard flow={flow} now={now()} />}
          cardHeight={66}
          cardBelow={560}
          onOpen={(flow) => navigate(paths.flow(flow.name))}
          onEnd={() => query.hasNextPage && !query.isFetching && void query.fetchNextPage()}
          more={more()}
          listKey={`${text()} ${orderTold(order())}`}
          sorting={order()}
          onSort={(wanted) =>
            search.set({ sort: orderTold({ key: wanted.key as Sort, descending: isDescending(wanted, order()) }) })
          }
          handle={(given) => (handle = given)}
          empty={
            <Show
              when={text()}
              fallback={
                <Empty icon="flow" title="No flow has run yet.">
                  <p>Run one, with `nadi run file.py:flow` or as any script, and it is here by itself.</p>
                </Empty>
              }
            >
              <Empty icon="search" title="No flow has this text in its name." />
            </Show>
          }
        />
      </Show>
    </Page>
  );
}

/** What a press on a title means: numbers are looked at from the largest on. */
function isDescending(wanted: { key: string; descending: boolean }, before: { key: string }): boolean {
  return wanted.key === before.key ? wanted.descending : wanted.key !== "name";
}

function SearchBox(props: {
  text: string;
  onText: (text: string) => void;
  entry: (element: HTMLInputElement) => void;
}) {
  const [text, setText] = createSignal(props.text);
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));
  createEffect(
    on(
      () => props.text,
      // What is being written is not taken away by its own way through the URL.
      (told) => told !== text().trim() && setText(told),
      { defer: true },
    ),
  );
  const write = (told: string, wait = SETTLED) => {
    setText(told);
    clearTimeout(timer);
    timer = setTimeout(() => told.trim() !== props.text && props.onText(told.trim()), wait);
  };
  return (
    <search class={styles.search}>
      <Icon name="search" />
      <Input
        ref={(element) => props.entry(element)}
        type="search"
        aria-label="Text in the name of a flow"
        placeholder="Name of a flow"
        autocomplete="off"
        spellcheck={false}
        maxLength={500}
        value={text()}
        onInput={(event) => write(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") write(text(), 0);
          if (event.key === "Escape") {
            if (text()) write("", 0);
            else event.currentTarget.blur();
          }
        }}
      />
    </search>
  );
}
