import { lookOf } from "~/lib/state";
import { Icon } from "./icon";
import styles from "./state-badge.module.css";

/** A state, by icon, colour and name. The name refines the state, such as "Retrying" for RUNNING. */
export function StateBadge(props: { state: string; name?: string; iconOnly?: boolean }) {
  const look = () => lookOf(props.state);
  const label = () => props.name || look().label;
  return (
    <span
      class={styles.badge}
      classList={{ [styles.bare!]: props.iconOnly }}
      style={{ color: `var(${look().colour})`, background: props.iconOnly ? undefined : `var(${look().colour}-soft)` }}
      title={props.iconOnly ? label() : undefined}
    >
      <Icon name={look().icon} size={13} class={props.state === "RUNNING" ? styles.running : ""} />
      <span class={props.iconOnly ? "sr-only" : "cut"}>{label()}</span>
    </span>
  );
}
