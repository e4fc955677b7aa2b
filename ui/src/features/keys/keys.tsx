/** API keys: with which programs act for a user. */

import { Show, createSignal } from "solid-js";
import { Asking } from "~/components/asking";
import { Button } from "~/components/button";
import { Card } from "~/components/card";
import { CopyButton } from "~/components/copy-button";
import { Dialog } from "~/components/dialog";
import { Answer, Empty } from "~/components/notice";
import { Page } from "~/components/page";
import { ShortTable } from "~/components/short-table";
import { Time } from "~/components/time";
import { tell } from "~/components/toasts";
import { useMe } from "~/data/me";
import type { Shapes } from "~/lib/http";
import { basePath } from "~/lib/paths";
import { createNow } from "~/lib/times";
import { useKeyList, useUserNames } from "./api";
import type { Key } from "./api";
import { hasExpired, linesFor } from "./expiries";
import { NewKey } from "./new-key";
import styles from "./keys.module.css";

export function Keys() {
  const keys = useKeyList();
  const users = useUserNames();
  const me = useMe();
  const now = createNow(10_000);
  const [making, setMaking] = createSignal(false);
  const [made, setMade] = createSignal<Shapes["NewKeyShape"]>();
  const [removing, setRemoving] = createSignal<Key>();
  return (
    <Page
      title="Keys"
      aside={
        me.may("admin") && (
          <Button kind="primary" icon="plus" onClick={() => setMaking(true)}>
            New key
          </Button>
        )
      }
    >
      <Answer query={keys.query} what="keys">
        {(found) => (
          <Card flush>
            <ShortTable
              label="Keys"
              rows={found()}
              columns={[
                { title: "For", cell: (key) => <strong class="told">{key.name}</strong> },
                { title: "User", cell: (key) => <span class="told">{key.user}</span> },
                {
                  title: "May",
                  cell: (key) =>
                    key.scopes.length ? key.scopes.join(", ") : <span class="soft">all its user may</span>,
                },
                { title: "Made", cell: (key) => <Time at={key.created} /> },
                {
                  title: "Expires",
                  cell: (key) => (
                    <Show when={key.expires} fallback={<span class="soft">never</span>}>
                      <span classList={{ [styles.expired!]: hasExpired(key.expires, now()) }}>
                        {hasExpired(key.expires, now()) ? "expired " : ""}
                        <Time at={key.expires} />
                      </span>
                    </Show>
                  ),
                },
                {
                  title: "Last used",
                  cell: (key) => (key.used ? <Time at={key.used} /> : <span class="soft">never</span>),
                },
                {
                  title: "What can be done",
                  untitled: true,
                  right: true,
                  cell: (key) => (
                    <Button icon="trash" aria-label={`Remove the key for ${key.name}`} onClick={() => setRemoving(key)}>
                      Remove
                    </Button>
                  ),
                },
              ]}
              empty={
                <Empty icon="key" title="There are no keys yet.">
                  Programs on other machines, such as a CI, record and ask by a key.
                </Empty>
              }
            />
          </Card>
        )}
      </Answer>

      <NewKey
        open={making()}
        users={users.data ?? []}
        onClose={() => setMaking(false)}
        make={keys.make}
        onMade={setMade}
      />
      <Dialog
        open={made() !== undefined}
        title="The key, shown this once"
        onClose={() => setMade(undefined)}
        actions={
          <Button kind="primary" onClick={() => setMade(undefined)}>
            I have it
          </Button>
        }
      >
        <Show when={made()}>
          {(key) => (
            <>
              <p>It is kept nowhere: whoever loses it makes another one.</p>
              <div class={styles.secret}>
                <pre tabIndex={0}>{key().key}</pre>
                <CopyButton text={key().key} label="Copy the key" />
              </div>
              <p>What its machine is told, to work with this server:</p>
              <div class={styles.secret}>
                <pre tabIndex={0}>{linesFor(location.origin + basePath, key().key)}</pre>
                <CopyButton text={linesFor(location.origin + basePath, key().key)} label="Copy both lines" />
              </div>
            </>
          )}
        </Show>
      </Dialog>
      <Asking
        open={removing() !== undefined}
        title={`Remove the key for ${removing()?.name}`}
        action="Remove"
        isDanger
        onClose={() => setRemoving(undefined)}
        run={() => keys.remove(removing()!.id).then(() => tell("The key is removed."))}
      >
        <p>
          Whoever uses it is refused from the next request on. Runs that record by it keep what they tell until they
          have another one.
        </p>
      </Asking>
    </Page>
  );
}
