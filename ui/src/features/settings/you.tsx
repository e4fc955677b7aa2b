/** Who one is, by what one is known, and what one may do; and logging out. */

import { For, Show, createSignal } from "solid-js";
import { Button } from "~/components/button";
import { Card } from "~/components/card";
import { Dialog } from "~/components/dialog";
import { Icon } from "~/components/icon";
import { Answer } from "~/components/notice";
import { tellProblem } from "~/components/toasts";
import { logOut, useMe } from "~/data/me";
import type { Permission } from "~/data/me";
import styles from "./settings.module.css";

const KNOWN_BY: Record<string, string> = {
  session: "logged in with this browser",
  key: "known by an API key",
  install: "known by the install token of the server",
};
const PERMISSIONS: readonly [Permission, string][] = [
  ["read", "See runs, logs, artifacts, metrics and what else is recorded"],
  ["operate", "Start, cancel, resume, answer and delete runs; change variables and limits"],
  ["record", "Record runs from another process"],
  ["admin", "Manage users and keys, read the audit log, change retention"],
];

export function You() {
  const me = useMe();
  return (
    <Card title="You">
      <Answer query={me.query} what="who you are">
        {(who) => (
          <>
            <p class={styles.who}>
              <b class="told">{who().name}</b>
              <span class="soft">{KNOWN_BY[who().how] ?? who().how}</span>
            </p>
            <ul class={styles.permissions} aria-label="What you may do">
              <For each={PERMISSIONS}>
                {([permission, about]) => (
                  <li classList={{ [styles.not!]: !me.may(permission) }}>
                    <Icon name={me.may(permission) ? "check" : "minus"} size={14} />
                    <span>
                      <Show when={!me.may(permission)}>
                        <span class="sr-only">Not: </span>
                      </Show>
                      {about}
                    </span>
                  </li>
                )}
              </For>
            </ul>
            <Show when={who().how === "session"}>
              <LogOut />
            </Show>
          </>
        )}
      </Answer>
    </Card>
  );
}

function LogOut() {
  const [asked, setAsked] = createSignal(false);
  const [busy, setBusy] = createSignal(false);
  const leave = (everywhere: boolean) => {
    setBusy(true);
    logOut(everywhere).catch((error: unknown) => {
      setBusy(false);
      setAsked(false);
      tellProblem(error);
    });
  };
  return (
    <div class={styles.actions}>
      <Button busy={busy()} onClick={() => leave(false)}>
        Log out
      </Button>
      <Button onClick={() => setAsked(true)}>Log out everywhere…</Button>
      <Dialog
        open={asked()}
        title="Log out everywhere?"
        onClose={() => setAsked(false)}
        actions={
          <>
            <Button onClick={() => setAsked(false)}>Not now</Button>
            <Button kind="danger" busy={busy()} onClick={() => leave(true)}>
              Log out everywhere
            </Button>
          </>
        }
      >
        <p>Every browser that is logged in as you, this one too, has to log in again. API keys stay as they are.</p>
      </Dialog>
    </div>
  );
}
