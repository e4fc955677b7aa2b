/** What stands around every page: the way to the others, how the live stream is, and the keys that work everywhere. */

import { A, useLocation, useNavigate } from "@solidjs/router";
import { ErrorBoundary, For, Show, Suspense, createEffect, createSignal, on, onCleanup, onMount } from "solid-js";
import type { JSX } from "solid-js";
import { IconButton } from "~/components/button";
import { Icon } from "~/components/icon";
import { ErrorNote, Loading } from "~/components/notice";
import { Toasts, tellProblem } from "~/components/toasts";
import { logOut, useMe } from "~/data/me";
import type { Permission } from "~/data/me";
import { forgetOnReset } from "~/data/queries";
import type { IconName } from "~/lib/icons";
import { onKey, useKeys } from "~/lib/keys";
import { live } from "~/lib/live";
import { paths } from "~/lib/paths";
import { KeysDialog } from "./keys-dialog";
import { Palette } from "./palette";
import { ThemeButton } from "./theme-button";
import styles from "./shell.module.css";

export interface Place {
  label: string;
  href: string;
  icon: IconName;
  /** The second key after `g`. */
  key: string;
  needs?: Permission;
}

export const PLACES: Place[] = [
  { label: "Home", href: paths.home(), icon: "home", key: "h" },
  { label: "Runs", href: paths.runs(), icon: "list", key: "r" },
  { label: "Flows", href: paths.flows(), icon: "flow", key: "f" },
];
export const MORE_PLACES: Place[] = [
  { label: "Users", href: paths.users(), icon: "user", key: "u", needs: "admin" },
  { label: "Keys", href: paths.keys(), icon: "key", key: "k", needs: "admin" },
  { label: "Audit", href: paths.audit(), icon: "audit", key: "a", needs: "admin" },
  { label: "Storage", href: paths.storage(), icon: "storage", key: "d" },
  { label: "Settings", href: paths.settings(), icon: "settings", key: "s" },
];

export function Shell(props: { children?: JSX.Element }) {
  const navigate = useNavigate();
  const location = useLocation();
  const me = useMe();
  const [palette, setPalette] = createSignal(false);
  const [keys, setKeys] = createSignal(false);
  const [menu, setMenu] = createSignal(false);
  const may = (place: Place) => !place.needs || me.may(place.needs);

  forgetOnReset();
  onMount(() => {
    live.start();
    const both = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setPalette(true);
      } else onKey(event);
    };
    document.addEventListener("keydown", both);
    onCleanup(() => document.removeEventListener("keydown", both));
  });
  useKeys(
    { keys: "/", does: "Search and go anywhere", run: () => setPalette(true) },
    { keys: "?", does: "Show the keys", run: () => setKeys(true) },
    ...[...PLACES, ...MORE_PLACES].map((place) => ({
      keys: `g ${place.key}`,
      does: `Go to ${place.label}`,
      run: () => may(place) && navigate(place.href),
    })),
  );

  const link = (place: Place) => (
    <Show when={may(place)}>
      <A
        href={place.href}
        class={styles.link}
        end={place.href === "/"}
        activeClass={styles.active!}
        onClick={() => setMenu(false)}
      >
        <Icon name={place.icon} />
        {place.label}
      </A>
    </Show>
  );
  return (
    <div class={styles.shell}>
      <a
        class={styles.skip}
        href={`${location.pathname}#main`}
        target="_self"
        onClick={() => document.getElementById("main")?.focus()}
      >
        Skip to the content
      </a>
      <header class={styles.bar}>
        <IconButton
          icon="menu"
          label="Menu"
          class={styles.menu}
          aria-expanded={menu()}
          aria-controls="places"
          onClick={() => setMenu(!menu())}
        />
        <A href={paths.home()} class={styles.name} activeClass="" inactiveClass="">
          <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="7" />
            <path d="M5 12c4-4 7-4 11 0s7 4 11 0M5 20c4-4 7-4 11 0s7 4 11 0" />
          </svg>
          Nadi
        </A>
        <button type="button" class={styles.search} onClick={() => setPalette(true)}>
          <Icon name="search" />
          <span>Search runs, flows, places…</span>
          <kbd>/</kbd>
        </button>
        <div class={styles.tools}>
          <Stream />
          <ThemeButton />
          <IconButton icon="question" label="Keys" class={styles.wide} onClick={() => setKeys(true)} />
        </div>
      </header>
      <nav id="places" class={styles.places} classList={{ [styles.open!]: menu() }} aria-label="Places">
        <For each={PLACES}>{link}</For>
        <hr />
        <For each={MORE_PLACES}>{link}</For>
        <div class={styles.me} title={me.query.data?.name}>
          <Show when={me.query.data}>{(who) => <span class="cut">{who().name}</span>}</Show>
          <Show when={me.query.data?.how === "session"}>
            <IconButton icon="logout" label="Log out" onClick={() => void logOut().catch(tellProblem)} />
          </Show>
        </div>
      </nav>
      <main id="main" class={styles.main} tabIndex={-1}>
        <ErrorBoundary
          fallback={(error: Error, again) => {
            // Another page need not fail.
            createEffect(on(() => location.pathname, again, { defer: true }));
            return (
              <div class={styles.broken}>
                <ErrorNote error={error} retry={again} />
              </div>
            );
          }}
        >
          <Suspense fallback={<Loading rows={6} />}>{props.children}</Suspense>
        </ErrorBoundary>
      </main>
      <Palette open={palette()} onClose={() => setPalette(false)} places={[...PLACES, ...MORE_PLACES].filter(may)} />
      <KeysDialog open={keys()} onClose={() => setKeys(false)} />
      <Toasts />
    </div>
  );
}

/** Whether what is shown is what is so now. */
function Stream() {
  const told = {
    starting: "Connecting…",
    live: "Live",
    away: "The server cannot be reached. What is shown may be old.",
  };
  return (
    <span class={styles.stream} data-connection={live.connection()} role="status" title={told[live.connection()]}>
      <span class={styles.pulse} aria-hidden="true" />
      <span class={live.connection() === "away" ? styles.wide : `${styles.wide} soft`}>
        {live.connection() === "away" ? "Away" : live.connection() === "live" ? "Live" : "…"}
      </span>
      <span class="sr-only">{told[live.connection()]}</span>
    </span>
  );
}
