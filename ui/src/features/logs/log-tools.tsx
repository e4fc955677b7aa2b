/** Above the lines: which of them are shown, how, and what can be taken away of them. */

import { Show, createEffect, createSignal, on, onCleanup } from "solid-js";
import type { JSX } from "solid-js";
import { Button, IconButton } from "~/components/button";
import { Input, Select } from "~/components/field";
import { Icon } from "~/components/icon";
import { Menu } from "~/components/menu";
import type { MenuItem } from "~/components/menu";
import { tell, tellProblem } from "~/components/toasts";
import type { TaskTable } from "~/data/tasks";
import { copy } from "~/lib/copying";
import { count, percent, plural } from "~/lib/numbers";
import { save } from "~/lib/saving";
import { useSearch } from "~/lib/search";
import { exact, secondsOf } from "~/lib/times";
import { gather } from "./download";
import type { Progress } from "./download";
import { jsonOf, textOf } from "./line-text";
import type { Times } from "./line-text";
import type { Line, LineFilter } from "./lines";
import { countOf } from "./marks";
import type { Marks } from "./marks";
import { TaskPicker } from "./task-picker";
import styles from "./log-tools.module.css";

/** Milliseconds that one stops writing before it is searched. */
const WRITTEN = 250;

export function LogTools(props: {
  run: string;
  name: string;
  filter: LineFilter;
  tasks: TaskTable;
  marks: Marks;
  times: Times;
  onTimes: (times: Times) => void;
  wrap: boolean;
  onWrap: (wrap: boolean) => void;
  loaded: () => readonly Line[];
  seen: () => readonly Line[];
  nameOf: (line: Line) => string;
  onFind: (step: 1 | -1) => void;
  searchBox: (element: HTMLInputElement) => void;
  children: JSX.Element;
}) {
  const search = useSearch();
  return (
    <div class={styles.tools} role="group" aria-label="Which lines">
      <SearchBox {...props} />
      <Select
        class={styles.select}
        aria-label="Level"
        value={search.one("level")}
        options={levelOptions(props.marks)}
        onChange={(event) => search.set({ level: event.currentTarget.value || undefined })}
      />
      <Show when={(props.tasks.version() && props.tasks.size) || props.filter.task}>
        <TaskPicker
          tasks={props.tasks}
          chosen={search.one("of")}
          onChoose={(task) => search.set({ of: task || undefined })}
        />
      </Show>
      <Show when={props.filter.since || props.filter.until}>
        <span class={styles.range}>
          <span class="cut">{rangeText(props.filter)}</span>
          <IconButton
            icon="cross"
            label="Lines of all times"
            onClick={() => search.set({ since: undefined, until: undefined })}
          />
        </span>
      </Show>
      <span class={styles.space} />
      {props.children}
      <Select
        class={styles.select}
        aria-label="Times"
        value={props.times}
        options={[
          ["clock", "Time of day"],
          ["since", "Since start"],
          ["none", "No times"],
        ]}
        onChange={(event) => props.onTimes(event.currentTarget.value as Times)}
      />
      <Button aria-pressed={props.wrap} title="Wrap long lines (w)" onClick={() => props.onWrap(!props.wrap)}>
        Wrap
      </Button>
      <TakeAway {...props} />
    </div>
  );
}

function SearchBox(props: { searchBox: (element: HTMLInputElement) => void; onFind: (step: 1 | -1) => void }) {
  const search = useSearch();
  const [text, setText] = createSignal(search.one("text"));
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));
  // Told from elsewhere, such as by going back.
  createEffect(on(() => search.one("text"), setText, { defer: true }));
  const put = (value: string) => {
    clearTimeout(timer);
    search.set({ text: value || undefined, ...(value ? {} : { all: undefined }) });
  };
  const onKeyDown = (event: KeyboardEvent & { currentTarget: HTMLInputElement }) => {
    if (event.key === "Enter") {
      if (text() !== search.one("text")) put(text());
      else props.onFind(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      if (text()) {
        setText("");
        put("");
      } else event.currentTarget.blur();
    } else return;
    event.preventDefault();
  };
  const isMarking = () => search.one("all") === "1";
  return (
    <div class={styles.search}>
      <Icon name="search" class={styles.glass} />
      <Input
        ref={(element) => props.searchBox(element)}
        type="text"
        class={styles.box}
        aria-label="Search in the log"
        placeholder="Search…  /"
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        value={text()}
        onInput={(event) => {
          const { value } = event.currentTarget;
          setText(value);
          clearTimeout(timer);
          timer = setTimeout(() => put(value), WRITTEN);
        }}
        onKeyDown={onKeyDown}
      />
      <Show when={search.one("text")}>
        <IconButton icon="up" label="Previous line with the text (N)" onClick={() => props.onFind(-1)} />
        <IconButton icon="down" label="Next line with the text (n)" onClick={() => props.onFind(1)} />
        <IconButton
          icon="filter"
          label={isMarking() ? "Show only lines with the text" : "Show the other lines too"}
          aria-pressed={!isMarking()}
          onClick={() => search.set({ all: isMarking() ? undefined : "1" })}
        />
      </Show>
    </div>
  );
}

function TakeAway(props: {
  run: string;
  name: string;
  filter: LineFilter;
  loaded: () => readonly Line[];
  seen: () => readonly Line[];
  nameOf: (line: Line) => string;
}) {
  const [progress, setProgress] = createSignal<Progress>();
  let asking: AbortController | undefined;
  onCleanup(() => asking?.abort());
  const text = (line: Line) => textOf(line, props.nameOf(line));
  const json = (line: Line) => jsonOf(line, props.nameOf(line));
  const copied = async (lines: readonly Line[]) => {
    const isDone = await copy(lines.map(text).join(""));
    tell(isDone ? `${plural(lines.length, "line")} copied` : "They could not be copied");
  };
  const saved = async (filter: LineFilter, write: (line: Line) => string, ending: string) => {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    setProgress({ lines: 0, share: 0 });
    try {
      const file = await gather(props.run, filter, write, setProgress, signal);
      if (!signal.aborted) save(file, `${props.name}.${ending}`);
    } catch (error) {
      if (!signal.aborted) tellProblem(error);
    } finally {
      if (asking.signal === signal) setProgress(undefined);
    }
  };
  const isFiltered = () => Object.values(props.filter).some(Boolean);
  const items = (): MenuItem[] => [
    { label: "Copy the lines on the screen", icon: "copy", run: () => void copied(props.seen()) },
    {
      label: `Copy the ${count(props.loaded().length)} lines that are loaded`,
      icon: "copy",
      run: () => void copied(props.loaded()),
    },
    ...(isFiltered()
      ? [
          {
            label: "Save the lines that fit",
            icon: "download",
            run: () => void saved(props.filter, text, "txt"),
          } as const,
        ]
      : []),
    { label: "Save all lines as text", icon: "download", run: () => void saved({}, text, "txt") },
    { label: "Save all lines as JSON", icon: "download", run: () => void saved({}, json, "jsonl") },
  ];
  return (
    <Show
      when={progress()}
      fallback={<Menu label="Copy or save lines" button={<Icon name="download" />} items={items()} />}
    >
      {(now) => (
        <span class={styles.progress} role="status">
          {count(now().lines)} lines, {percent(now().share, 1)}
          <IconButton
            icon="cross"
            label="Stop saving"
            onClick={() => {
              asking?.abort();
              setProgress(undefined);
            }}
          />
        </span>
      )}
    </Show>
  );
}

function levelOptions(marks: Marks): [string, string][] {
  const counted = (levels: string[]) => {
    const { count: n, more } = countOf(marks, levels);
    return n || more ? ` (${count(n)}${more ? "+" : ""})` : "";
  };
  return [
    ["", "All levels"],
    ["INFO", "Info and above"],
    ["WARNING", `Warnings and errors${counted(["WARNING", "ERROR", "CRITICAL"])}`],
    ["ERROR", `Errors${counted(["ERROR", "CRITICAL"])}`],
    ["CRITICAL", `Critical${counted(["CRITICAL"])}`],
  ];
}

function rangeText(filter: LineFilter): string {
  const told = (time: string | undefined) => (time ? exact(secondsOf(time)) : "");
  if (!filter.until) return `From ${told(filter.since)}`;
  return filter.since ? `${told(filter.since)} to ${told(filter.until)}` : `Until ${told(filter.until)}`;
}
