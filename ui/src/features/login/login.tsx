/** Asks for name and password. Comes too when a login link led nowhere. */

import { Show, createSignal, onCleanup, onMount } from "solid-js";
import { Button } from "~/components/button";
import { CopyButton } from "~/components/copy-button";
import { Field, Input } from "~/components/field";
import { Icon } from "~/components/icon";
import { Problem, answered, api } from "~/lib/http";
import { below } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { createNow } from "~/lib/times";
import { safeNext } from "./next";
import styles from "./login.module.css";

const OPEN = "nadi server --open";
const LINK =
  `printf 'Authorization: Bearer %s' "$(cat ~/.nadi/token)" |` +
  ` curl -X POST -H @- ${location.origin}${below("/api/login-links")}`;

export function Login() {
  const search = useSearch();
  const next = safeNext(search.one("next"));
  const wasLink = search.one("code") !== "";
  const [name, setName] = createSignal("");
  const [password, setPassword] = createSignal("");
  const [problem, setProblem] = createSignal("");
  const [busy, setBusy] = createSignal(false);
  const [capsLock, setCapsLock] = createSignal(false);
  /** Unix seconds from which on it can be tried again. */
  const [again, setAgain] = createSignal(0);
  const now = createNow(1000);
  const wait = () => Math.max(0, Math.ceil(again() - now()));
  let first!: HTMLInputElement;
  let second!: HTMLInputElement;
  onMount(() => {
    document.title = "Log in · Nadi";
    // It is worth nothing any more, and need not stand in the address.
    if (wasLink) search.set({ code: undefined });
    first.focus();
  });
  const onKey = (event: KeyboardEvent) => setCapsLock(event.getModifierState("CapsLock"));
  onMount(() => {
    document.addEventListener("keyup", onKey);
    onCleanup(() => document.removeEventListener("keyup", onKey));
  });
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy() || wait()) return;
    if (!name().trim()) return first.focus();
    if (!password()) return second.focus();
    setBusy(true);
    setProblem("");
    try {
      await answered(api.POST("/api/login", { body: { name: name().trim(), password: password() } }), { stays: true });
      // A new page, so that nothing of before is shown to whoever this is.
      location.replace(below(next));
    } catch (error) {
      setBusy(false);
      // The server's own sentence goes on about keys and links.
      const isWrong = error instanceof Problem && error.status === 401;
      setProblem(isWrong ? "Name and password do not belong together." : (error as Error).message);
      const seconds = error instanceof Problem && error.status === 429 ? Number(error.fields.wait ?? 1) : 0;
      if (seconds) setAgain(Date.now() / 1000 + seconds);
      second.focus();
      second.select();
    }
  };
  return (
    <main class={styles.page}>
      <div class={styles.card}>
        <header class={styles.head}>
          <svg class={styles.mark} width="40" height="40" viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="7" />
            <path d="M5 12c4-4 7-4 11 0s7 4 11 0M5 20c4-4 7-4 11 0s7 4 11 0" />
          </svg>
          <h1>Log in to Nadi</h1>
        </header>
        <Show when={wasLink}>
          <div class={styles.note} role="status">
            <Icon name="link" />
            <p>This login link was used already, or is older than five minutes. Below is how to get another one.</p>
          </div>
        </Show>
        <form onSubmit={(event) => void submit(event)} novalidate>
          <Field label="Name">
            {(ids) => (
              <Input
                {...ids}
                ref={first}
                name="username"
                autocomplete="username"
                autocapitalize="none"
                spellcheck={false}
                maxLength={200}
                required
                value={name()}
                onInput={(event) => setName(event.currentTarget.value)}
              />
            )}
          </Field>
          <Field label="Password" hint={capsLock() ? "Caps Lock is on." : undefined}>
            {(ids) => (
              <Input
                {...ids}
                ref={second}
                type="password"
                name="password"
                autocomplete="current-password"
                maxLength={1024}
                required
                value={password()}
                onInput={(event) => setPassword(event.currentTarget.value)}
              />
            )}
          </Field>
          <div class={styles.problem} role="alert">
            <Show when={problem()}>
              <Icon name="warning" />
              <span class="told">{problem()}</span>
            </Show>
          </div>
          <Button kind="primary" type="submit" class={styles.submit} busy={busy()} disabled={wait() > 0}>
            {wait() ? `Log in (in ${wait()} s)` : "Log in"}
          </Button>
        </form>
        <footer class={styles.foot}>
          <p>Is it your own server? It logs your browser in as it starts:</p>
          <Command text={OPEN} />
          <p>From one that runs already, on its machine, this gets a link that works once:</p>
          <Command text={LINK} />
        </footer>
      </div>
    </main>
  );
}

function Command(props: { text: string }) {
  return (
    <p class={styles.command}>
      <code class="cut" title={props.text}>
        {props.text}
      </code>
      <CopyButton text={props.text} label="Copy the command" />
    </p>
  );
}
