import { For, Show, createUniqueId, splitProps } from "solid-js";
import type { JSX } from "solid-js";
import styles from "./field.module.css";

/** What stands around one thing to fill in: its name, a hint, and what is wrong with it. */
export function Field(props: {
  label: string;
  hint?: JSX.Element;
  error?: string;
  children: (ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: boolean }) => JSX.Element;
}) {
  const id = createUniqueId();
  const about = () => (props.error || props.hint ? `${id}-about` : undefined);
  return (
    <div class={styles.field}>
      <label for={id}>{props.label}</label>
      {props.children({
        id,
        get "aria-describedby"() {
          return about();
        },
        get "aria-invalid"() {
          return Boolean(props.error) || undefined;
        },
      })}
      <Show when={about()}>
        <p id={`${id}-about`} class={props.error ? styles.problem : styles.hint}>
          {props.error || props.hint}
        </p>
      </Show>
    </div>
  );
}

export function Input(props: JSX.InputHTMLAttributes<HTMLInputElement>) {
  const [own, rest] = splitProps(props, ["class"]);
  return <input {...rest} class={`${styles.input} ${own.class ?? ""}`} />;
}

export function TextArea(props: JSX.TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const [own, rest] = splitProps(props, ["class"]);
  return <textarea {...rest} class={`${styles.input} ${styles.area} ${own.class ?? ""}`} />;
}

export function Select(
  props: Omit<JSX.SelectHTMLAttributes<HTMLSelectElement>, "value"> & {
    value: string;
    options: readonly (readonly [value: string, label: string])[];
  },
) {
  const [own, rest] = splitProps(props, ["class", "options", "value"]);
  return (
    <select {...rest} class={`${styles.input} ${styles.select} ${own.class ?? ""}`}>
      <For each={own.options}>
        {([value, label]) => (
          <option value={value} selected={value === own.value}>
            {label}
          </option>
        )}
      </For>
    </select>
  );
}

/** Something that is or is not; a label can be pressed too. */
export function Check(props: JSX.InputHTMLAttributes<HTMLInputElement> & { label: string }) {
  const [own, rest] = splitProps(props, ["label", "class"]);
  return (
    <label class={`${styles.check} ${own.class ?? ""}`}>
      <input {...rest} type="checkbox" />
      {own.label}
    </label>
  );
}
