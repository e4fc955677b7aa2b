/** The log of a run: all that it and what it called have logged, live. */

import { Show, createEffect, createSignal, on, onCleanup } from "solid-js";
import { Button } from "~/components/button";
import { Icon } from "~/components/icon";
import { Empty, ErrorNote, Loading } from "~/components/notice";
import { tell, tellProblem } from "~/components/toasts";
import { useRun } from "~/data/run";
import { useSubflowNames } from "~/data/subflows";
import { kept } from "~/lib/kept";
import { useKeys } from "~/lib/keys";
import { count, plural } from "~/lib/numbers";
import { useSearch } from "~/lib/search";
import { secondsOf } from "~/lib/times";
import { askForNext, nextOf } from "./finding";
import type { Wanted } from "./finding";
import { isTimes, textOf } from "./line-text";
import type { Times } from "./line-text";
import { covers, indexOf } from "./line-window";
import type { Line, LineFilter } from "./lines";
import { LogBar } from "./log-bar";
import { LogTools } from "./log-tools";
import { LogView } from "./log-view";
import type { ViewHandle, ViewState } from "./log-view";
import { createMarks } from "./marks";
import { createLogReader } from "./reader";
import styles from "./logs.module.css";

/** Milliseconds after which the line one has gone to stands in the URL, and a place of the bar is read. */
const SETTLED = 250;

const [times, setTimes] = kept<Times>("logs.times", "clock", isTimes);
const [wrap, setWrap] = kept("logs.wrap", true, (told) => typeof told === "boolean");

export function Logs() {
  const { id, run, tasks, needTasks, isFinal } = useRun();
  const search = useSearch();
  /** Whether all lines are shown and those that hold the text are only marked. */
  const isMarking = () => search.one("all") === "1";
  const filter = (): LineFilter => ({
    level: search.one("level"),
    text: isMarking() ? "" : search.one("text"),
    task: search.one("of"),
    since: search.one("since"),
    until: search.one("until"),
  });
  const isFiltered = () => Object.values(filter()).some(Boolean);

  const [marked, setMarked] = createSignal(Number(search.one("line")) || 0);
  const [view, setView] = createSignal<ViewState>(
    { following: !marked(), top: 0, bottom: 0, share: 1 },
    {
      equals: (one, other) => (Object.keys(one) as (keyof ViewState)[]).every((key) => one[key] === other[key]),
    },
  );
  /** Where it was left: what comes after it is new. */
  const [leftAt, setLeftAt] = createSignal(0);
  const [handle, setHandle] = createSignal<ViewHandle>();
  let searchBox: HTMLInputElement | undefined;

  // Of other lines the place is the same: the marked one, or where one read.
  let searched = "";
  const place = () => {
    // Who wants to see what stands around the lines that were found is led to the last of them that was seen.
    const isAround = searched !== "" && isMarking();
    searched = filter().text ?? "";
    if (isAround) return marked() || view().bottom;
    return marked() || (view().following ? 0 : view().top);
  };
  const reader = createLogReader(id, filter, place);
  const marks = createMarks(id, filter);
  const lines = () => reader.window().lines;
  createEffect(on(reader.opened, (told) => told && needTasks()));

  // -- who logged a line --

  const isRoot = () => !run()?.parent;
  const subflows = useSubflowNames(id, () => isRoot() && lines().some((line) => line.run !== id()));
  const hasTasks = () => Object.keys(run()?.tasks ?? {}).length > 0;
  const nameOf = (line: Line): string => {
    if (!line.task) return line.run === id() ? "" : (subflows().get(line.run) ?? "");
    tasks().version();
    return tasks().row(line.task)?.name ?? "…";
  };
  const settings = {
    get times() {
      return times();
    },
    get began() {
      return secondsOf(run()?.started ?? run()?.created);
    },
    get query() {
      return search.one("text");
    },
    get names() {
      return !search.one("of") && (hasTasks() || subflows().size > 0);
    },
    nameOf,
  };

  // -- going somewhere --

  const go = (number: number, where: "middle" | "near" | "top" = "middle") => {
    if (covers(reader.window(), number)) handle()?.show(number, where);
    else reader.open(number);
  };
  const goToEnd = () => {
    if (reader.window().atEnd) handle()?.follow();
    else reader.open();
  };
  let settling: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(settling));
  const mark = (number: number) => {
    setMarked(number);
    clearTimeout(settling);
    settling = setTimeout(() => search.set({ line: number ? String(number) : undefined }), SETTLED);
  };
  createEffect(
    on(
      () => Number(search.one("line")) || 0,
      (number) => {
        if (number === marked()) return;
        setMarked(number);
        if (number) go(number);
      },
      { defer: true },
    ),
  );
  const move = (by: 1 | -1) => {
    const all = lines();
    const seen = handle()?.seen() ?? [];
    const known = marked() && covers(reader.window(), marked()) ? indexOf(all, marked()) : -1;
    const next = known >= 0 ? all[known + by] : by > 0 ? seen[0] : seen.at(-1);
    if (!next) return;
    mark(next.number);
    handle()?.show(next.number, "near");
  };

  let asking = new AbortController();
  onCleanup(() => asking.abort());
  const find = async (step: 1 | -1, wanted: Wanted, what: string) => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const from = marked() || (step > 0 ? view().top - 1 : view().bottom + 1);
    try {
      const all = lines();
      const isWithin = covers(reader.window(), from);
      const edge = step > 0 ? all.at(-1)?.number : all[0]?.number;
      const found =
        (isWithin ? nextOf(all, from, step, wanted) : undefined) ??
        (await askForNext(id(), filter(), isWithin ? (edge ?? from) : from, step, wanted, signal));
      if (signal.aborted) return;
      if (!found) return tell(`There is no ${step > 0 ? "later" : "earlier"} ${what}.`);
      mark(found.number);
      go(found.number);
    } catch (error) {
      if (!signal.aborted) tellProblem(error);
    }
  };
  const findText = (step: 1 | -1) => {
    const text = search.one("text");
    if (text) void find(step, { text }, "line with this text");
    else searchBox?.focus();
  };
  const findError = (step: 1 | -1) => void find(step, { level: "ERROR" }, "line that tells of an error");

  let going: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(going));
  const goByBar = (number: number, isOver: boolean) => {
    clearTimeout(going);
    const { last, atEnd } = reader.window();
    if (isOver && number >= last) goToEnd();
    else if (covers(reader.window(), number) && (number < last || atEnd)) handle()?.show(number, "top");
    else if (isOver) reader.open(number);
    else going = setTimeout(() => reader.open(number), SETTLED / 2);
  };

  const openTask = (task: string) => search.set({ task }, { push: true });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const line = lines()[indexOf(lines(), marked())];
    if (event.key === "End") goToEnd();
    else if (event.key === "Home") go(reader.window().first, "top");
    else if (event.key === "Enter" && event.target === event.currentTarget && line?.number === marked() && line.task)
      openTask(line.task);
    else if (event.key === "Escape" && marked()) mark(0);
    else return;
    event.preventDefault();
  };
  useKeys(
    { keys: "/", does: "Search in the log", run: () => searchBox?.select() },
    { keys: "n", does: "Next line with the text", run: () => findText(1) },
    { keys: "N", does: "Previous line with the text", run: () => findText(-1) },
    { keys: "e", does: "Next error", run: () => findError(1) },
    { keys: "E", does: "Previous error", run: () => findError(-1) },
    { keys: "g g", does: "Go to the first line", run: () => go(reader.window().first, "top") },
    { keys: "G", does: "Go to the end and stay there", run: goToEnd },
    { keys: "j", does: "Mark the next line; Enter opens its task", run: () => move(1) },
    { keys: "k", does: "Mark the line before", run: () => move(-1) },
    { keys: "w", does: "Wrap long lines, or not", run: () => setWrap(!wrap()) },
  );

  // -- what is new --

  const onView = (state: ViewState) => {
    if (view().following && !state.following) setLeftAt(lines().at(-1)?.number ?? 0);
    setView(state);
  };
  const fresh = () => (view().following || !leftAt() ? 0 : lines().length - indexOf(lines(), leftAt() + 1));
  const isAway = () => !view().following && lines().length > 0;
  const isThere = () => lines().length > 0;
  const isComplete = () => reader.window().before === null && reader.window().atEnd;
  const told = () => {
    const line = marked() ? lines()[indexOf(lines(), marked())] : undefined;
    return line?.number === marked() ? `Line ${line.number}, ${line.level}: ${line.text.slice(0, 300)}` : "";
  };
  const clear = () =>
    search.set({
      text: undefined,
      level: undefined,
      of: undefined,
      since: undefined,
      until: undefined,
      all: undefined,
    });

  return (
    <section class={styles.logs} aria-label="Logs">
      <LogTools
        run={id()}
        name={run()?.name ?? id()}
        filter={filter()}
        tasks={tasks()}
        marks={marks()}
        times={times()}
        onTimes={setTimes}
        wrap={wrap()}
        onWrap={setWrap}
        loaded={lines}
        seen={() => handle()?.seen() ?? []}
        nameOf={nameOf}
        onFind={findText}
        searchBox={(element) => (searchBox = element)}
      >
        <span class={styles.count} role="status">
          <Show when={isThere() && !reader.searching()}>
            <span title={isComplete() ? undefined : "So many are loaded, and there are more."}>
              {isComplete() ? plural(lines().length, "line") : `${count(lines().length)}+ lines`}
            </span>
          </Show>
          <Show when={reader.searching()}>Searching…</Show>
        </span>
      </LogTools>
      <Show when={reader.error()}>{(error) => <ErrorNote error={error()} retry={() => reader.open(place())} />}</Show>
      <div class={styles.frame} classList={{ [styles.old!]: reader.reading() && isThere() }}>
        <LogView
          reader={reader}
          settings={settings}
          wrap={wrap()}
          marked={marked()}
          following={view().following}
          onView={onView}
          onMark={(line) => mark(line.number === marked() ? 0 : line.number)}
          onTask={openTask}
          onKeyDown={onKeyDown}
          textOf={(line) => textOf(line, nameOf(line))}
          handle={setHandle}
        />
        <LogBar
          first={reader.window().first}
          last={reader.window().last}
          top={view().top}
          bottom={view().bottom}
          share={view().share}
          following={view().following}
          marks={marks()}
          onGo={goByBar}
        />
        <Show when={!isThere()}>
          <div class={styles.instead}>
            <Show when={!reader.reading() && !reader.searching()} fallback={<Loading what="log lines" rows={10} />}>
              <Show when={!reader.error()}>
                <Empty
                  icon={isFiltered() ? "filter" : "list"}
                  title={
                    isFiltered()
                      ? "No line fits."
                      : isFinal()
                        ? "This run logged nothing."
                        : "Nothing is logged yet. Lines are shown as they come."
                  }
                >
                  <Show when={isFiltered()}>
                    <Button onClick={clear}>Show all lines</Button>
                  </Show>
                </Empty>
              </Show>
            </Show>
          </div>
        </Show>
        <Show when={isAway()}>
          <button
            type="button"
            class={styles.pill}
            onClick={() => {
              goToEnd();
              handle()?.focus();
            }}
          >
            <Icon name="down" size={13} />
            {fresh() > 0
              ? `${plural(fresh(), "new line")}${reader.window().atEnd ? "" : " and more"}`
              : "Jump to the end"}
          </button>
        </Show>
      </div>
      <span class="sr-only" role="status">
        {told()}
      </span>
    </section>
  );
}
