import { splitProps } from "solid-js";
import type { JSX } from "solid-js";
import type { IconName } from "~/lib/icons";
import { Icon } from "./icon";
import styles from "./button.module.css";

type ButtonProps = JSX.ButtonHTMLAttributes<HTMLButtonElement> & {
  /** "primary": what one came for, once in a place. "danger": it cannot be undone. Else plain. */
  kind?: "primary" | "danger" | "plain" | "quiet";
  icon?: IconName;
  busy?: boolean;
};

/** A button; while it is busy it cannot be pressed again. */
export function Button(props: ButtonProps) {
  const [own, rest] = splitProps(props, ["kind", "icon", "busy", "class", "children", "disabled"]);
  return (
    <button
      type="button"
      {...rest}
      class={`${styles.button} ${styles[own.kind ?? "plain"]} ${own.class ?? ""}`}
      disabled={own.disabled || own.busy}
      aria-busy={own.busy}
    >
      {own.icon && <Icon name={own.icon} />}
      {own.children}
    </button>
  );
}

/** A button that shows an icon alone; `label` says what it does. */
export function IconButton(props: ButtonProps & { icon: IconName; label: string }) {
  const [own, rest] = splitProps(props, ["label", "class", "kind"]);
  return (
    <Button
      {...rest}
      kind={own.kind ?? "quiet"}
      class={`${styles.square} ${own.class ?? ""}`}
      aria-label={own.label}
      title={own.label}
    />
  );
}
