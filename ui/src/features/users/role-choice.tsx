import { For, createUniqueId } from "solid-js";
import { MAY, ROLES } from "./roles";
import type { Role } from "./roles";
import styles from "./users.module.css";

/** One of the roles, each with what it may do. */
export function RoleChoice(props: { value: Role; onChange: (role: Role) => void }) {
  const name = createUniqueId();
  return (
    <fieldset class={styles.roles}>
      <legend>Role</legend>
      <For each={ROLES}>
        {(role) => (
          <label class={styles.role}>
            <input
              type="radio"
              name={name}
              value={role}
              checked={props.value === role}
              onChange={() => props.onChange(role)}
            />
            <span>{role}</span>
            <small>{MAY[role]}</small>
          </label>
        )}
      </For>
    </fieldset>
  );
}
