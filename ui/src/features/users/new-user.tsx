import { createEffect, createSignal } from "solid-js";
import { Asking } from "~/components/asking";
import { Field, Input } from "~/components/field";
import { tell } from "~/components/toasts";
import { RoleChoice } from "./role-choice";
import type { Role } from "./roles";

export function NewUser(props: {
  open: boolean;
  onClose: () => void;
  add: (user: { name: string; role: Role; password: string }) => Promise<unknown>;
}) {
  const [name, setName] = createSignal("");
  const [password, setPassword] = createSignal("");
  const [role, setRole] = createSignal<Role>("viewer");
  createEffect(() => {
    if (!props.open) return;
    setName("");
    setPassword("");
    setRole("viewer");
  });
  return (
    <Asking
      open={props.open}
      title="New user"
      action="Make"
      ready={name().trim() !== ""}
      onClose={props.onClose}
      run={() =>
        props
          .add({ name: name().trim(), role: role(), password: password() })
          .then(() => tell(`${name().trim()} is there.`))
      }
    >
      <Field label="Name">
        {(ids) => (
          <Input {...ids} autocomplete="off" value={name()} onInput={(event) => setName(event.currentTarget.value)} />
        )}
      </Field>
      <RoleChoice value={role()} onChange={setRole} />
      <Field label="Password" hint="Leave it empty for somebody who has keys only.">
        {(ids) => (
          <Input
            {...ids}
            type="password"
            autocomplete="new-password"
            value={password()}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        )}
      </Field>
    </Asking>
  );
}
