/** One field of a form, with those within it. */

import { For, Match, Show, Switch } from "solid-js";
import { Button, IconButton } from "./button";
import { Field, Input, Select, TextArea } from "./field";
import type { FormField } from "./schema-fields";
import { draftOf, within } from "./schema-values";
import type { Draft, Faults, Mode } from "./schema-values";
import styles from "./schema-form.module.css";

interface FieldProps {
  field: FormField;
  label: string;
  draft: Draft;
  path: string;
  faults: Faults;
  change: (recipe: (draft: Draft) => void) => void;
}

const LONG = 80;

export function SchemaField(props: FieldProps) {
  return (
    <Switch fallback={<OneLine {...props} />}>
      <Match when={props.field.kind === "secret"}>
        <div class={styles.group} role="group" aria-label={props.label}>
          <p class={styles.legend}>{props.label}</p>
          <p class={styles.hint}>
            It is a secret, which is kept nowhere and cannot be given here: the flow finds it where it runs.
          </p>
        </div>
      </Match>
      <Match when={props.field.kind === "object" || props.field.kind === "list"}>
        <Group {...props} />
      </Match>
    </Switch>
  );
}

/** A field that holds others: an object with its fields, or a list with its items. */
function Group(props: FieldProps) {
  const isGiven = () => props.draft.mode === "value";
  const item = () => props.field.item!;
  const fault = () => props.faults[props.path];
  return (
    <fieldset class={styles.group}>
      <legend class={styles.legend}>
        <span class="told">{props.label}</span>
        <Modes {...props} />
      </legend>
      <Show when={fault() || props.draft.unfit || props.field.description}>
        <p class={fault() ? styles.problem : styles.hint}>
          {fault() || unfitTold(props.draft) || props.field.description}
        </p>
      </Show>
      <Show when={isGiven()}>
        <Show
          when={props.field.kind === "list"}
          fallback={
            <For each={props.field.fields}>
              {(one) => (
                <SchemaField
                  field={one}
                  label={one.name}
                  draft={props.draft.fields[one.name]!}
                  path={within(props.path, one.name)}
                  faults={props.faults}
                  change={(recipe) => props.change((all) => recipe(all.fields[one.name]!))}
                />
              )}
            </For>
          }
        >
          <For each={props.draft.items}>
            {(one, index) => (
              <div class={styles.item}>
                <SchemaField
                  field={item()}
                  label={`${props.label} ${index() + 1}`}
                  draft={one}
                  path={within(props.path, String(index()))}
                  faults={props.faults}
                  change={(recipe) => props.change((all) => recipe(all.items[index()]!))}
                />
                <IconButton
                  icon="minus"
                  label={`Remove ${props.label} ${index() + 1}`}
                  onClick={() => props.change((all) => all.items.splice(index(), 1))}
                />
              </div>
            )}
          </For>
          <Button
            kind="plain"
            icon="plus"
            class={styles.add}
            onClick={() => props.change((all) => all.items.push(draftOf(item())))}
          >
            Add
            <span class="sr-only"> an item to {props.label}</span>
          </Button>
        </Show>
      </Show>
    </fieldset>
  );
}

/** A field that is one value. */
function OneLine(props: FieldProps) {
  const write = (text: string) =>
    props.change((draft) => {
      draft.text = text;
      draft.mode = "value";
    });
  const isLong = () => props.field.kind === "json" || props.draft.text.length > LONG || props.draft.text.includes("\n");
  const ghost = () =>
    props.draft.mode === "null" ? "null" : props.draft.mode === "left" ? leftTold(props.field) : undefined;
  const hint = () =>
    unfitTold(props.draft) || [props.field.description, props.field.expects].filter(Boolean).join(" · ");
  const isChosen = () => props.field.kind === "choice" || props.field.kind === "boolean";
  return (
    <Field label={props.label} hint={hint()} error={props.faults[props.path]}>
      {(ids) => (
        <div class={styles.line}>
          <Switch
            fallback={
              <Input
                {...ids}
                type={props.field.kind === "date" && props.draft.mode === "value" ? "date" : "text"}
                inputMode={
                  props.field.kind === "integer" ? "numeric" : props.field.kind === "number" ? "decimal" : undefined
                }
                autocomplete="off"
                spellcheck={false}
                required={props.field.required}
                placeholder={ghost()}
                value={props.draft.mode === "value" ? props.draft.text : ""}
                onInput={(event) => write(event.currentTarget.value)}
              />
            }
          >
            <Match when={isChosen()}>
              <Select
                {...ids}
                value={chosen(props.field, props.draft)}
                options={options(props.field)}
                onChange={(event) => {
                  const value = event.currentTarget.value;
                  props.change((draft) => choose(props.field, draft, value));
                }}
              />
            </Match>
            <Match when={isLong()}>
              <TextArea
                {...ids}
                spellcheck={false}
                required={props.field.required}
                placeholder={ghost()}
                value={props.draft.mode === "value" ? props.draft.text : ""}
                onInput={(event) => write(event.currentTarget.value)}
              />
            </Match>
          </Switch>
          <Show when={!isChosen()}>
            <Modes {...props} />
          </Show>
        </div>
      )}
    </Field>
  );
}

/** Whether a value, null, or nothing is given, where there is a choice. */
function Modes(props: FieldProps) {
  const modes = () => {
    const offered: [Mode, string][] = [["value", "given"]];
    if (props.field.nullable) offered.push(["null", "null"]);
    if (!props.field.required) offered.push(["left", props.field.default === undefined ? "left out" : "default"]);
    return offered;
  };
  return (
    <Show when={modes().length > 1}>
      <Select
        class={styles.modes}
        aria-label={`How ${props.label} is given`}
        value={props.draft.mode}
        options={modes()}
        onChange={(event) => {
          const mode = event.currentTarget.value as Mode;
          props.change((draft) => (draft.mode = mode));
        }}
      />
    </Show>
  );
}

// -- a choice, and true or false: null and nothing are choices among the others --

function options(field: FormField): [string, string][] {
  const values: [string, string][] =
    field.kind === "boolean"
      ? [
          ["true", "true"],
          ["false", "false"],
        ]
      : field.choices.map((one, index) => [String(index), told(one)]);
  if (field.nullable && !field.choices.includes(null)) values.push(["null", "null"]);
  if (!field.required) values.push(["left", leftTold(field)]);
  if (field.required && field.kind === "choice") values.unshift(["-1", "Choose…"]);
  return values;
}

function chosen(field: FormField, draft: Draft): string {
  if (draft.mode !== "value") return draft.mode;
  return field.kind === "boolean" ? String(draft.checked) : String(draft.chosen);
}

function choose(field: FormField, draft: Draft, value: string): void {
  draft.mode = value === "null" || value === "left" ? value : "value";
  if (draft.mode !== "value") return;
  if (field.kind === "boolean") draft.checked = value === "true";
  else draft.chosen = Number(value);
}

// -- words --

function leftTold(field: FormField): string {
  return field.default === undefined ? "left out" : `default: ${told(field.default)}`;
}

function told(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > LONG ? `${text.slice(0, LONG - 1)}…` : text;
}

function unfitTold(draft: Draft): string {
  return draft.unfit ? `It was ${told(draft.unfit)}, which is not told in full: give it anew.` : "";
}
