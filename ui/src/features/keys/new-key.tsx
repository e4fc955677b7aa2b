import { For, Show, createEffect, createSignal } from "solid-js";
import { Asking } from "~/components/asking";
import { Check, Field, Input, Select } from "~/components/field";
import type { Shapes } from "~/lib/http";
import type { Scope } from "./api";
import { EXPIRIES, USUAL } from "./expiries";
import styles from "./keys.module.css";

const SCOPES: Record<Scope, string> = {
  read: "See runs, logs, artifacts and metrics",
  operate: "Start, cancel, resume and delete runs; change variables and limits",
  record: "Record runs from another machine (together with read)",
  admin: "Manage users, keys and retention; read the audit log",
};

export function NewKey(props: {
  open: boolean;
  users: readonly string[];
  onClose: () => void;
  make: (key: { name: string; user: string; scopes: Scope[]; lasts: number }) => Promise<Shapes["NewKeyShape"]>;
  onMade: (key: Shapes["NewKeyShape"]) => void;
}) {
  const [name, setName] = createSignal("");
  const [user, setUser] = createSignal("");
  const [scopes, setScopes] = createSignal<Scope[]>([]);
  const [lasts, setLasts] = createSignal(USUAL);
  createEffect(() => {
    if (!props.open) return;
    setName("");
    setUser(props.users[0] ?? "");
    setScopes([]);
    setLasts(USUAL);
  });
  const choose = (scope: Scope, isChosen: boolean) =>
    setScopes((all) => (isChosen ? [...all, scope] : all.filter((one) => one !== scope)));
  return (
    <Asking
      open={props.open}
      title="New key"
      action="Make"
      ready={name().trim() !== "" && user() !== ""}
      onClose={props.onClose}
      run={() =>
        props.make({ name: name().trim(), user: user(), scopes: scopes(), lasts: Number(lasts()) }).then(props.onMade)
      }
    >
      <Field label="What it is for" hint="Such as the name of the program or machine that will have it.">
        {(ids) => (
          <Input {...ids} autocomplete="off" value={name()} onInput={(event) => setName(event.currentTarget.value)} />
        )}
      </Field>
      <Show
        when={props.users.length}
        fallback={<p class={styles.problem}>A key acts for a user, and there is none yet. Make one first.</p>}
      >
        <Field label="Acts for">
          {(ids) => (
            <Select
              {...ids}
              value={user()}
              options={props.users.map((one) => [one, one] as const)}
              onChange={(event) => setUser(event.currentTarget.value)}
            />
          )}
        </Field>
      </Show>
      <fieldset class={styles.scopes}>
        <legend>May do, of what its user may</legend>
        <For each={Object.entries(SCOPES) as [Scope, string][]}>
          {([scope, does]) => (
            <Check
              label={`${scope}: ${does}`}
              checked={scopes().includes(scope)}
              onChange={(event) => choose(scope, event.currentTarget.checked)}
            />
          )}
        </For>
        <p class="soft">{scopes().length ? "" : "With none chosen: all that its user may."}</p>
      </fieldset>
      <Field label="Counts">
        {(ids) => (
          <Select
            {...ids}
            value={lasts()}
            options={EXPIRIES}
            onChange={(event) => setLasts(event.currentTarget.value)}
          />
        )}
      </Field>
    </Asking>
  );
}
