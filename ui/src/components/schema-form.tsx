/** A form for values that a JSON Schema describes; and the same values as JSON, for whoever prefers that. */

import { For, Show, createMemo, createSignal, onMount } from "solid-js";
import { createStore, produce, reconcile, unwrap } from "solid-js/store";
import type { JSX } from "solid-js";
import { Button } from "./button";
import { Field, TextArea } from "./field";
import { fieldsOf, isSchema } from "./schema-fields";
import { SchemaField } from "./schema-field";
import { draftOf, parseJson, valueOf } from "./schema-values";
import type { Faults } from "./schema-values";
import styles from "./schema-form.module.css";

export function SchemaForm(props: {
  /** `null` where there is none: then all is JSON. */
  schema: unknown;
  /** What it begins with; `undefined` for nothing. */
  values?: unknown;
  /** What its button says. */
  submit: string;
  busy?: boolean;
  onSubmit: (value: unknown) => void;
  onCancel?: () => void;
  /** Between the fields and the buttons, such as what the server said. */
  children?: JSX.Element;
}) {
  const root = createMemo(
    () => (isSchema(props.schema) ? { ...fieldsOf(props.schema), required: true } : undefined),
    undefined,
    // The same schema read anew is no other form: what is written in it stays.
    { equals: (one, other) => JSON.stringify(one) === JSON.stringify(other) },
  );
  const [draft, setDraft] = createStore(root() ? draftOf(root()!, props.values) : draftOf(fieldsOf({})));
  const [json, setJson] = createSignal<string | undefined>(root() ? undefined : asText(props.values ?? {}));
  const [faults, setFaults] = createSignal<Faults>({});
  let form!: HTMLFormElement;

  const outcome = () => {
    const text = json();
    if (text === undefined) return valueOf(root()!, unwrap(draft));
    const parsed = parseJson(text.trim() || "{}");
    return "fault" in parsed ? { faults: { "": parsed.fault } } : { value: parsed.value };
  };
  // In a dialog one came to fill it in; on a page one may have come for something else.
  onMount(() => {
    if (form.closest("dialog")) form.querySelector<HTMLElement>("input, select, textarea")?.focus();
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const found = outcome();
    setFaults(found.faults ?? {});
    if (!found.faults) props.onSubmit(found.value);
    else queueMicrotask(() => form.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
  };
  const swap = () => {
    const found = outcome();
    if (json() === undefined) {
      // What is wrong in the form is left out: it can be told in JSON now.
      setJson(asText(found.faults ? (props.values ?? {}) : found.value));
    } else if (found.faults) return setFaults(found.faults);
    else {
      setDraft(reconcile(draftOf(root()!, found.value)));
      setJson(undefined);
    }
    setFaults({});
  };
  return (
    <form ref={form} class={styles.form} onSubmit={submit} noValidate>
      <Show
        when={json() === undefined && root()}
        fallback={
          <Field label="Values, as JSON" error={faults()[""]}>
            {(ids) => (
              <TextArea
                {...ids}
                rows={Math.min(20, Math.max(5, (json() ?? "").split("\n").length))}
                spellcheck={false}
                value={json()}
                onInput={(event) => setJson(event.currentTarget.value)}
              />
            )}
          </Field>
        }
      >
        {(field) => (
          <Show
            when={field().kind === "object"}
            fallback={
              <SchemaField
                field={field()}
                label="Value"
                draft={draft}
                path=""
                faults={faults()}
                change={(recipe) => setDraft(produce(recipe))}
              />
            }
          >
            <For each={field().fields} fallback={<p class="soft">There is nothing to fill in.</p>}>
              {(one) => (
                <SchemaField
                  field={one}
                  label={one.name}
                  draft={draft.fields[one.name]!}
                  path={one.name}
                  faults={faults()}
                  change={(recipe) => setDraft(produce((all) => recipe(all.fields[one.name]!)))}
                />
              )}
            </For>
          </Show>
        )}
      </Show>
      {props.children}
      <div class={styles.foot}>
        <Show when={root()}>
          <Button kind="quiet" class={styles.swap} onClick={swap}>
            {json() === undefined ? "Edit as JSON" : "Edit in fields"}
          </Button>
        </Show>
        <Show when={props.onCancel}>{(cancel) => <Button onClick={() => cancel()()}>Cancel</Button>}</Show>
        <Button kind="primary" type="submit" busy={props.busy}>
          {props.submit}
        </Button>
      </div>
    </form>
  );
}

function asText(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
