/** What stands here before anything has run: how to begin. */

import { useQuery } from "@tanstack/solid-query";
import { Show } from "solid-js";
import { CopyButton } from "~/components/copy-button";
import { Page } from "~/components/page";
import { answered, api } from "~/lib/http";
import { live } from "~/lib/live";
import styles from "./first-flow.module.css";

const CODE = `from nadi import flow

@flow
def hello(name: str = "world") -> str:
    return f"Hello, {name}!"
`;
const COMMAND = "nadi run hello.py -p name=you";

export function FirstFlow() {
  const query = useQuery(() => ({
    queryKey: ["server"],
    queryFn: ({ signal }) => answered(api.GET("/api/server", { signal })),
  }));
  const store = () => (query.isPending ? undefined : query.data?.store);
  return (
    <Page title="Home" heading="Nothing has run yet">
      <div class={styles.first}>
        <ol class={styles.steps}>
          <li>
            <h2>
              Put a flow into <code>hello.py</code>
            </h2>
            <Snippet text={CODE} label="Copy the flow" />
          </li>
          <li>
            <h2>Run it</h2>
            <Snippet text={COMMAND} label="Copy the command" />
          </li>
          <li>
            <h2>Watch</h2>
            <p class="soft">
              It appears here by itself, as does every run from now on.
              <Show when={live.connection() === "live"}> This page is listening.</Show>
            </p>
          </li>
        </ol>
        <Show when={store()}>
          {(where) => (
            <p class={styles.store}>
              What is shown is recorded in <code class="told">{where()}</code>. Run flows on this machine with the same
              home (<code>NADI_HOME</code>), or see <code>nadi server --help</code> for recording from elsewhere.
            </p>
          )}
        </Show>
      </div>
    </Page>
  );
}

function Snippet(props: { text: string; label: string }) {
  return (
    <div class={styles.snippet}>
      <pre tabIndex={0} aria-label={props.label.replace("Copy the", "The")} role="region">
        {props.text.trimEnd()}
      </pre>
      <CopyButton text={props.text} label={props.label} />
    </div>
  );
}
