/** What the server says of itself: version, store, and how its services are. */

import { useQuery } from "@tanstack/solid-query";
import { For, Show } from "solid-js";
import { IconButton } from "~/components/button";
import { Card } from "~/components/card";
import { CopyButton } from "~/components/copy-button";
import { Answer } from "~/components/notice";
import { Time } from "~/components/time";
import { answered, api } from "~/lib/http";
import { count } from "~/lib/numbers";
import styles from "./settings.module.css";

export function Server() {
  const server = useQuery(() => ({
    queryKey: ["server"],
    queryFn: ({ signal }) => answered(api.GET("/api/server", { signal })),
  }));
  return (
    <Card
      title="Server"
      flush
      aside={
        <IconButton icon="refresh" label="Ask again" busy={server.isFetching} onClick={() => void server.refetch()} />
      }
    >
      <Answer query={server} what="the server">
        {(told) => (
          <>
            <dl class={styles.facts}>
              <dt>Version</dt>
              <dd>{told().version}</dd>
              <dt>Store</dt>
              <dd class={styles.store}>
                <code class="told">{told().store}</code>
                <CopyButton text={told().store} label="Copy the store" />
              </dd>
              <dt>Running since</dt>
              <dd>
                <Time at={told().started} exact /> <span class="soft">(</span>
                <Time at={told().started} />
                <span class="soft">)</span>
              </dd>
            </dl>
            <table class={styles.services}>
              <caption class="sr-only">Services of the server</caption>
              <thead>
                <tr>
                  <th scope="col">Service</th>
                  <th scope="col">Steps</th>
                  <th scope="col">Failures</th>
                </tr>
              </thead>
              <tbody>
                <For each={told().services} fallback={<NoServices />}>
                  {(service) => (
                    <>
                      <tr>
                        <th scope="row">{service.name}</th>
                        <td>{count(service.steps)}</td>
                        <td classList={{ [styles.failures!]: service.failures > 0 }}>{count(service.failures)}</td>
                      </tr>
                      <Show when={service.last_failure}>
                        <tr class={styles.failure}>
                          <td colSpan={3} class="told">
                            Failed last: {service.last_failure.slice(0, 2_000)}
                          </td>
                        </tr>
                      </Show>
                    </>
                  )}
                </For>
              </tbody>
            </table>
          </>
        )}
      </Answer>
    </Card>
  );
}

function NoServices() {
  return (
    <tr>
      <td colSpan={3} class="soft">
        This server runs no services.
      </td>
    </tr>
  );
}
