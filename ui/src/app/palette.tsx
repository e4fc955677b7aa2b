/** The command palette: places, flows and runs by any part of their names, and where an id leads. */

import { useNavigate } from "@solidjs/router";
import { useQuery } from "@tanstack/solid-query";
import { For, Show, createEffect, createMemo, createSignal, createUniqueId, on } from "solid-js";
import { Icon } from "~/components/icon";
import { StateBadge } from "~/components/state-badge";
import { answered, api } from "~/lib/http";
import type { IconName } from "~/lib/icons";
import { paths } from "~/lib/paths";
import { THEMES, setTheme } from "~/lib/theme";
import type { Place } from "./shell";
import styles from "./palette.module.css";

interface Choice {
  /** What it is known by while answers come and the list around it changes. */
  key: string;
  label: string;
  about: string;
  icon: IconName;
  state?: { state: string; name: string };
  run: () => void;
}

/** Of each kind, at most. */
const MOST = 8;
const WHOLE_ID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

export function Palette(props: { open: boolean; onClose: () => void; places: Place[] }) {
  const navigate = useNavigate();
  const id = createUniqueId();
  const [text, setText] = createSignal("");
  const [chosen, setChosen] = createSignal("");
  let dialog!: HTMLDialogElement;
  let isBeside = false;
  createEffect(
    on(
      () => props.open,
      (open) => {
        if (open && !dialog.open) {
          setText("");
          setChosen("");
          dialog.showModal();
        } else if (!open) dialog.close();
      },
      { defer: true },
    ),
  );
  const wanted = () => text().trim();
  const runs = useQuery(() => ({
    queryKey: ["palette", "runs", wanted()],
    enabled: props.open,
    queryFn: ({ signal }) =>
      answered(api.GET("/api/flow-runs", { params: { query: { text: wanted(), limit: MOST } }, signal })),
    placeholderData: (before) => before,
  }));
  const flows = useQuery(() => ({
    queryKey: ["palette", "flows", wanted()],
    enabled: props.open,
    queryFn: ({ signal }) =>
      answered(api.GET("/api/flows", { params: { query: { text: wanted(), limit: MOST } }, signal })),
    placeholderData: (before) => before,
  }));
  const go = (href: string) => () => navigate(href);
  const choices = createMemo((): Choice[] => {
    const part = wanted().toLowerCase();
    const has = (label: string) => label.toLowerCase().includes(part);
    const found: Choice[] = [];
    if (WHOLE_ID.test(part))
      found.push({ key: "id", label: part, about: "Run", icon: "list", run: go(paths.run(part)) });
    for (const place of props.places)
      if (has(place.label))
        found.push({
          key: `place ${place.href}`,
          label: place.label,
          about: "Place",
          icon: place.icon,
          run: go(place.href),
        });
    for (const flow of flows.data?.flows ?? [])
      found.push({
        key: `flow ${flow.name}`,
        label: flow.name,
        about: "Flow",
        icon: "flow",
        run: go(paths.flow(flow.name)),
      });
    for (const run of runs.data?.runs ?? []) {
      found.push({
        key: `run ${run.id}`,
        label: run.name,
        about: run.flow,
        icon: "list",
        state: { state: run.state, name: run.state_name },
        run: go(paths.run(run.id)),
      });
    }
    if (part)
      found.push({
        key: "all",
        label: `All runs with “${wanted()}”`,
        about: "Runs",
        icon: "search",
        run: go(paths.runs({ text: wanted() })),
      });
    for (const one of THEMES)
      if (part && has(`colours ${one}`))
        found.push({
          key: `colours ${one}`,
          label: `Colours: ${one}`,
          about: "Setting",
          icon: "sun",
          run: () => setTheme(one),
        });
    return found;
  });
  const at = createMemo(() =>
    Math.max(
      0,
      choices().findIndex((choice) => choice.key === chosen()),
    ),
  );
  const choose = (choice: Choice | undefined) => {
    if (!choice) return;
    props.onClose();
    choice.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const count = choices().length;
    if (step) setChosen(choices()[(at() + step + count) % Math.max(1, count)]?.key ?? "");
    else if (event.key === "Enter") choose(choices()[at()]);
    else return;
    event.preventDefault();
    document.getElementById(`${id}-${at()}`)?.scrollIntoView({ block: "nearest" });
  };
  return (
    <dialog
      ref={dialog}
      class={styles.palette}
      aria-label="Search and go anywhere"
      onClose={() => props.open && props.onClose()}
      onPointerDown={(event) => (isBeside = event.target === dialog)}
      onClick={(event) => isBeside && event.target === dialog && props.onClose()}
    >
      <Show when={props.open}>
        <div class={styles.entry}>
          <Icon name="search" />
          <input
            autofocus
            class={styles.input}
            role="combobox"
            aria-expanded="true"
            aria-controls={id}
            aria-activedescendant={choices().length ? `${id}-${at()}` : undefined}
            aria-label="Search runs, flows and places"
            placeholder="Search runs, flows, places…"
            value={text()}
            onInput={(event) => {
              setText(event.currentTarget.value);
              setChosen("");
            }}
            onKeyDown={onKeyDown}
          />
          <kbd class="soft">Esc</kbd>
        </div>
        <div id={id} role="listbox" class={styles.choices} aria-label="Found">
          <For each={choices()} fallback={<p class={styles.none}>Nothing has a name like that.</p>}>
            {(choice, n) => (
              <div
                id={`${id}-${n()}`}
                role="option"
                aria-selected={n() === at()}
                class={styles.choice}
                onMouseMove={() => setChosen(choice.key)}
                onClick={() => choose(choice)}
              >
                <Icon name={choice.icon} />
                <span class="cut">{choice.label}</span>
                <Show when={choice.state}>{(state) => <StateBadge state={state().state} name={state().name} />}</Show>
                <span class={`${styles.about} cut`}>{choice.about}</span>
              </div>
            )}
          </For>
        </div>
      </Show>
    </dialog>
  );
}
