/** What the list is narrowed by: text, state, flow, tags, time, parameters. Each change goes to the URL. */

import { createEffect, createSignal, on, onCleanup } from "solid-js";
import { Button } from "~/components/button";
import { Check, Input } from "~/components/field";
import { Icon } from "~/components/icon";
import { Popover } from "~/components/popover";
import type { Run } from "~/data/runs";
import { FlowFilter, ParameterFilter, StateFilter, TagFilter } from "./filter-panels";
import { TimeFilter } from "./time-filter";
import { timeTold } from "./view";
import type { View } from "./view";
import styles from "./filter-bar.module.css";

/** Milliseconds after the last letter until it is looked for. */
const SETTLED = 250;

export function FilterBar(props: {
  view: View;
  runs: readonly Run[];
  onChange: (change: Partial<View>) => void;
  entry: (element: HTMLInputElement) => void;
}) {
  const [folded, setFolded] = createSignal(true);
  const [text, setText] = createSignal(props.view.text);
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));
  createEffect(
    on(
      () => props.view.text,
      (now) => {
        // What is being written is not taken away by its own way through the URL.
        if (now !== text().trim()) setText(now);
      },
      { defer: true },
    ),
  );
  const write = (now: string, wait = SETTLED) => {
    setText(now);
    clearTimeout(timer);
    timer = setTimeout(() => now.trim() !== props.view.text && props.onChange({ text: now.trim() }), wait);
  };
  const narrowing = () =>
    Number(Boolean(props.view.flow)) +
    Number(props.view.state.length > 0) +
    Number(props.view.tag.length > 0) +
    Number(props.view.parameter.length > 0) +
    Number(Boolean(timeTold(props.view)));
  return (
    <search class={styles.bar} aria-label="Filters">
      <div class={styles.text}>
        <Icon name="search" />
        <Input
          ref={props.entry}
          type="search"
          aria-label="Text in the name, flow or id"
          placeholder="Name, flow or id"
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
      </div>
      <Button
        icon="filter"
        class={styles.fold}
        aria-expanded={!folded()}
        aria-controls="more-filters"
        onClick={() => setFolded(!folded())}
      >
        Filters{narrowing() ? ` (${narrowing()})` : ""}
      </Button>
      <div id="more-filters" class={styles.more} classList={{ [styles.folded!]: folded() }}>
        <Popover label="States" active={props.view.state.length > 0} button={<Titled title="State" />}>
          {() => <StateFilter value={props.view.state} onChange={(state) => props.onChange({ state })} />}
        </Popover>
        <Popover label="Flow" active={Boolean(props.view.flow)} button={<Titled title="Flow" />}>
          {(close) => (
            <FlowFilter
              value={props.view.flow}
              onChange={(flow) => {
                props.onChange({ flow });
                close();
              }}
            />
          )}
        </Popover>
        <Popover label="Time" active={Boolean(timeTold(props.view))} button={<Titled title="Time" />}>
          {(close) => (
            <TimeFilter
              view={props.view}
              onChange={(time) => {
                props.onChange(time);
                close();
              }}
            />
          )}
        </Popover>
        <Popover label="Tags" active={props.view.tag.length > 0} button={<Titled title="Tags" />}>
          {() => <TagFilter value={props.view.tag} runs={props.runs} onChange={(tag) => props.onChange({ tag })} />}
        </Popover>
        <Popover label="Parameters" active={props.view.parameter.length > 0} button={<Titled title="Parameters" />}>
          {(close) => (
            <ParameterFilter
              runs={props.runs}
              onAdd={(told) => {
                props.onChange({ parameter: [...new Set([...props.view.parameter, told])] });
                close();
              }}
            />
          )}
        </Popover>
        <Check
          label="Subflow runs too"
          class={styles.check}
          checked={props.view.subflows}
          onChange={(event) => props.onChange({ subflows: event.currentTarget.checked })}
        />
      </div>
    </search>
  );
}

function Titled(props: { title: string }) {
  return (
    <>
      {props.title}
      <Icon name="down" size={12} />
    </>
  );
}
