/** A value as a tree to read: folded where it is large, and copied whole. */

import { For, Show, createSignal } from "solid-js";
import { plural } from "~/lib/numbers";
import { CopyButton } from "./copy-button";
import styles from "./json-view.module.css";

/** Entries that are shown at once, and characters of a text. */
const ENTRIES = 50;
const CHARACTERS = 300;
/** Levels that are open at first, where they have no more than some entries. */
const OPEN = 2;
const FEW = 12;

export function JsonView(props: { value: unknown; label: string; copy?: boolean }) {
  return (
    <div class={styles.view} role="group" aria-label={props.label}>
      <Show when={props.copy !== false}>
        <span class={styles.copy}>
          <CopyButton
            text={JSON.stringify(props.value, null, 2) ?? ""}
            label={`Copy ${props.label.toLowerCase()} as JSON`}
          />
        </span>
      </Show>
      <Value value={props.value} depth={0} />
    </div>
  );
}

function Value(props: { name?: string; value: unknown; depth: number }) {
  return (
    <Show when={isBranch(props.value)} fallback={<Leaf name={props.name} value={props.value} />}>
      <Branch name={props.name} value={props.value as object} depth={props.depth} />
    </Show>
  );
}

function Branch(props: { name?: string; value: object; depth: number }) {
  const entries = () => Object.entries(props.value);
  const [open, setOpen] = createSignal(props.depth === 0 || (props.depth < OPEN && entries().length <= FEW));
  const [most, setMost] = createSignal(ENTRIES);
  const isList = () => Array.isArray(props.value);
  const size = () => plural(entries().length, isList() ? "item" : "field");
  const list = () => (
    <Show when={open()}>
      <ul class={props.name === undefined ? styles.top : styles.entries}>
        <For each={entries().slice(0, most())}>
          {([name, value]) => (
            <li>
              <Value name={name} value={value} depth={props.depth + 1} />
            </li>
          )}
        </For>
        <Show when={entries().length > most()}>
          <li>
            <button type="button" class={styles.more} onClick={() => setMost(most() + 10 * ENTRIES)}>
              {plural(entries().length - most(), "more item")}…
            </button>
          </li>
        </Show>
      </ul>
    </Show>
  );
  return (
    <Show when={props.name !== undefined} fallback={list()}>
      <button type="button" class={styles.branch} aria-expanded={open()} onClick={() => setOpen(!open())}>
        <span class={styles.fold} aria-hidden="true" data-open={open()} />
        <span class={`${styles.name} cut`}>{props.name}</span>
        <span class="soft">{size()}</span>
      </button>
      {list()}
    </Show>
  );
}

function Leaf(props: { name?: string; value: unknown }) {
  const [whole, setWhole] = createSignal(false);
  const text = () => (typeof props.value === "string" ? props.value : (JSON.stringify(props.value) ?? "[]"));
  const isLong = () => text().length > CHARACTERS;
  return (
    <p class={styles.leaf}>
      <Show when={props.name !== undefined}>
        <span class={`${styles.name} cut`} title={props.name!.slice(0, 500)}>
          {props.name}
        </span>
      </Show>
      <span class={`${styles.value} told`} data-kind={kindOf(props.value)}>
        {isLong() && !whole() ? `${text().slice(0, CHARACTERS)}…` : text()}
        <Show when={isLong()}>
          <button type="button" class={styles.more} onClick={() => setWhole(!whole())}>
            {whole() ? "Less" : `All ${plural(text().length, "character")}`}
          </button>
        </Show>
      </span>
    </p>
  );
}

function isBranch(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function kindOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}
