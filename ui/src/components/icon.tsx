import { ICONS } from "~/lib/icons";
import type { IconName } from "~/lib/icons";
import styles from "./icon.module.css";

/** One icon, in the colour of the text around it. It says nothing to screen readers: the text beside it does. */
export function Icon(props: { name: IconName; size?: number; class?: string }) {
  return (
    <svg
      class={`${styles.icon} ${props.class ?? ""}`}
      width={props.size ?? 16}
      height={props.size ?? 16}
      viewBox="0 0 16 16"
      aria-hidden="true"
    >
      <path d={ICONS[props.name]} />
    </svg>
  );
}
