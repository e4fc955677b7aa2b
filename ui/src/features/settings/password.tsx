/** Changing one's own password, for those who have one. */

import { Show, createSignal } from "solid-js";
import { Button } from "~/components/button";
import { Card } from "~/components/card";
import { Field, Input } from "~/components/field";
import { tell } from "~/components/toasts";
import { useMe } from "~/data/me";
import { Problem, answered, api } from "~/lib/http";
import { passwordProblem } from "./password-rules";
import type { PasswordField } from "./password-rules";
import styles from "./settings.module.css";

export function Password() {
  const me = useMe();
  const has = () => me.query.data?.how === "session" && me.query.data.name !== "owner";
  return (
    <Show when={has()}>
      <Card title="Password">
        <PasswordForm name={me.query.data!.name} />
      </Card>
    </Show>
  );
}

const EMPTY = { old: "", fresh: "", again: "" };

function PasswordForm(props: { name: string }) {
  const [given, setGiven] = createSignal(EMPTY);
  const [problem, setProblem] = createSignal<{ at: PasswordField; text: string }>();
  const [busy, setBusy] = createSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const wrong = passwordProblem(given());
    setProblem(wrong);
    if (wrong) return;
    setBusy(true);
    const body = { password: given().old, new_password: given().fresh };
    try {
      await answered(api.PUT("/api/me/password", { body }), { stays: true });
      setGiven(EMPTY);
      tell("Your password is changed. Other browsers have to log in again.");
    } catch (error) {
      const status = error instanceof Problem ? error.status : 0;
      const text = status === 401 ? "This is not your password." : (error as Error).message;
      setProblem({ at: [401, 403, 429].includes(status) ? "old" : "fresh", text });
    } finally {
      setBusy(false);
    }
  };
  const field = (at: PasswordField, label: string, autocomplete: string, hint?: string) => (
    <Field label={label} hint={hint} error={problem()?.at === at ? problem()?.text : undefined}>
      {(ids) => (
        <Input
          {...ids}
          type="password"
          autocomplete={autocomplete}
          maxLength={1024}
          value={given()[at]}
          onInput={(event) => setGiven({ ...given(), [at]: event.currentTarget.value })}
        />
      )}
    </Field>
  );
  return (
    <form class={styles.password} onSubmit={(event) => void submit(event)} novalidate>
      {/* Password managers want to know whose it is. */}
      <input class="sr-only" tabIndex={-1} aria-hidden="true" autocomplete="username" value={props.name} readOnly />
      {field("old", "Your password", "current-password")}
      {field("fresh", "New password", "new-password", "At least 12 characters.")}
      {field("again", "New password again", "new-password")}
      <Button kind="primary" type="submit" busy={busy()}>
        Change the password
      </Button>
    </form>
  );
}
