/** What the flow takes: each parameter in words, and the JSON Schema. */

import { For, Match, Show, Switch, createMemo } from "solid-js";
import { Button } from "~/components/button";
import { Icon } from "~/components/icon";
import { JsonView } from "~/components/json-view";
import { Empty, ErrorNote, Loading } from "~/components/notice";
import type { Schema } from "~/components/schema-fields";
import { useMe } from "~/data/me";
import type { Code } from "./flow-head";
import { rowsOf } from "./schema-rows";
import styles from "./schema-part.module.css";

/** Characters of a default and of a title. */
const SHOWN = 200;
const TITLE = 500;

export function SchemaPart(props: { code: Code }) {
  const me = useMe();
  const code = () => props.code.loaded() ?? props.code.read();
  const schema = () => (code()?.parameters ?? undefined) as Schema | undefined;
  const rows = createMemo(() => (schema() ? rowsOf(schema()!) : []));
  const canLoad = () => me.may("operate") && props.code.read()?.not_startable === "";
  const error = () => props.code.inspection.error ?? (props.code.read() ? null : props.code.preview.error);
  return (
    <div class={styles.part}>
      <Show when={error()}>
        {(error) => (
          <ErrorNote
            error={error()}
            retry={() => (props.code.inspection.error ? props.code.load() : void props.code.preview.refetch())}
          />
        )}
      </Show>
      <div class={styles.bar}>
        <Show when={code()}>
          <p class={`told ${styles.note}`}>
            <Icon name="info" size={14} />
            {props.code.loaded() ? "As the loaded code says." : "As the text of the code says."} {code()?.note}
          </p>
        </Show>
        <Show when={canLoad()}>
          <Button
            icon={props.code.loaded() ? "refresh" : "braces"}
            busy={props.code.isLoading()}
            title="Imports the file in a process of its own on the server. Neither the flow nor a task is run."
            onClick={() => props.code.load()}
          >
            {props.code.isLoading() ? "Loading…" : props.code.loaded() ? "Load again" : "Load the code"}
          </Button>
        </Show>
      </div>
      <Switch>
        <Match when={!code() && !error()}>
          <Loading what="the parameters" rows={5} />
        </Match>
        <Match when={code() && !schema()}>
          <Empty icon="braces" title="Its parameters are not known.">
            <Show when={canLoad()}>
              <p>They are once its code is loaded.</p>
            </Show>
          </Empty>
        </Match>
        <Match when={schema()}>
          {(schema) => (
            <>
              <Show when={rows().length} fallback={<p class={styles.nothing}>It takes no parameters.</p>}>
                <div class={styles.scroll} tabIndex={0} role="group" aria-label="Parameters, in a table">
                  <table class={styles.table}>
                    <thead>
                      <tr>
                        <th scope="col">Parameter</th>
                        <th scope="col">Takes</th>
                        <th scope="col">Default</th>
                        <th scope="col">Description</th>
                      </tr>
                    </thead>
                    <tbody>
                      <For each={rows()}>
                        {(row) => (
                          <tr>
                            <th
                              scope="row"
                              style={{ "padding-left": `${row.depth * 18}px` }}
                              title={row.path.slice(0, TITLE)}
                            >
                              <span class={`mono told ${styles.name}`}>{row.name.slice(0, SHOWN)}</span>
                            </th>
                            <td class="told">{row.takes.slice(0, TITLE)}</td>
                            <td>
                              <Show
                                when={row.default}
                                fallback={
                                  <span classList={{ [styles.needed!]: row.required, soft: !row.required }}>
                                    {row.required ? "required" : "–"}
                                  </span>
                                }
                              >
                                <code class="told" title={row.default.slice(0, TITLE)}>
                                  {row.default.length > SHOWN ? `${row.default.slice(0, SHOWN)}…` : row.default}
                                </code>
                              </Show>
                            </td>
                            <td class="told">{row.description}</td>
                          </tr>
                        )}
                      </For>
                    </tbody>
                  </table>
                </div>
              </Show>
              <section class={styles.raw} aria-label="JSON Schema">
                <h2>JSON Schema</h2>
                <JsonView value={schema()} label="JSON Schema" />
              </section>
            </>
          )}
        </Match>
      </Switch>
    </div>
  );
}
