import { Match, Show, Switch } from "solid-js";
import type { JSX } from "solid-js";
import type { IconName } from "~/lib/icons";
import { Button } from "./button";
import { Icon } from "./icon";
import styles from "./notice.module.css";

/** In place of something that is not there: why, and what to do. */
export function Empty(props: { icon?: IconName; title: string; children?: JSX.Element }) {
  return (
    <div class={styles.empty}>
      <Icon name={props.icon ?? "info"} size={24} class={styles.icon} />
      <p class={styles.title}>{props.title}</p>
      <Show when={props.children}>
        <div class={styles.more}>{props.children}</div>
      </Show>
    </div>
  );
}

/** Something is being read. It appears only when that takes a while, so that nothing flickers. */
export function Loading(props: { what?: string; rows?: number }) {
  return (
    <div class={styles.loading} role="status">
      <span class="sr-only">Loading{props.what ? ` ${props.what}` : ""}…</span>
      {Array.from({ length: props.rows ?? 3 }, () => (
        <span class={styles.bar} />
      ))}
    </div>
  );
}

/** Something could not be done; the sentence is the server's own. */
export function ErrorNote(props: { error: Error; retry?: () => void }) {
  return (
    <div class={styles.error} role="alert">
      <Icon name="warning" />
      <p class="told">{props.error.message}</p>
      <Show when={props.retry}>{(retry) => <Button onClick={() => retry()()}>Try again</Button>}</Show>
    </div>
  );
}

/** What a request came to: an error, nothing yet, or its data. */
export function Answer<T>(props: {
  query: { data: T | undefined; error: Error | null; refetch: () => unknown };
  what?: string;
  rows?: number;
  children: (data: () => T) => JSX.Element;
}) {
  return (
    <Switch fallback={<Loading what={props.what} rows={props.rows} />}>
      <Match when={props.query.data !== undefined && { data: props.query.data as T }}>
        {(found) => props.children(() => found().data)}
      </Match>
      <Match when={props.query.error}>
        {(error) => <ErrorNote error={error()} retry={() => props.query.refetch()} />}
      </Match>
    </Switch>
  );
}
