/** Concurrency limits: who holds slots, and who waits. */

import { For, Show, createEffect, createSignal } from "solid-js";
import { Asking } from "~/components/asking";
import { Button } from "~/components/button";
import { Card } from "~/components/card";
import { Field, Input } from "~/components/field";
import { Answer, Empty } from "~/components/notice";
import { ShortTable } from "~/components/short-table";
import { tell } from "~/components/toasts";
import { useMe } from "~/data/me";
import { lookAgain } from "~/data/queries";
import { live } from "~/lib/live";
import { throttled } from "~/lib/throttled";
import { useLimits } from "./api";
import type { Limit } from "./api";
import styles from "./limits-part.module.css";

/** Holders that are told of one by one. */
const MOST = 5;
/** Milliseconds between two readings, however much happens. */
const OFTEN = 1_000;

export function LimitsPart() {
  const limits = useLimits();
  const me = useMe();
  const [editing, setEditing] = createSignal<Limit | "new">();
  const [removing, setRemoving] = createSignal<Limit>();
  // Slots change hands as runs begin and end.
  const again = throttled(lookAgain(limits.query), OFTEN);
  live.hear("flow-runs", again);
  live.hear("reset", again);
  return (
    <Card
      title="Concurrency limits"
      flush
      aside={
        me.may("operate") && (
          <Button icon="plus" onClick={() => setEditing("new")}>
            New limit
          </Button>
        )
      }
    >
      <Answer query={limits.query} what="limits">
        {(found) => (
          <ShortTable
            label="Concurrency limits"
            rows={found()}
            columns={[
              { title: "Name", cell: (limit) => <strong class="told">{limit.name}</strong> },
              {
                title: "Slots",
                cell: (limit) => (
                  <span class="number">
                    {limit.used} of {limit.slots} held{limit.decay ? `, ${limit.decay} a second come back` : ""}
                  </span>
                ),
              },
              { title: "Held by", cell: (limit) => <Names names={limit.holders} /> },
              { title: "Waiting", cell: (limit) => <Names names={limit.waiting} /> },
              {
                title: "What can be done",
                untitled: true,
                right: true,
                cell: (limit) =>
                  me.may("operate") && (
                    <>
                      <Button aria-label={`Change ${limit.name}`} onClick={() => setEditing(limit)}>
                        Change
                      </Button>
                      <Button icon="trash" aria-label={`Remove ${limit.name}`} onClick={() => setRemoving(limit)}>
                        Remove
                      </Button>
                    </>
                  ),
              },
            ]}
            empty={
              <Empty icon="slash" title="There are no limits yet.">
                A limit lets only so many tasks or runs of a name go at once, over all processes.
              </Empty>
            }
          />
        )}
      </Answer>
      <Editing limit={editing()} onClose={() => setEditing(undefined)} set={limits.set} />
      <Asking
        open={removing() !== undefined}
        title={`Remove ${removing()?.name}`}
        action="Remove"
        isDanger
        onClose={() => setRemoving(undefined)}
        run={() => limits.remove(removing()!.name).then(() => tell("The limit is removed."))}
      >
        <p>Whoever waits for it waits for it no more, and goes on.</p>
      </Asking>
    </Card>
  );
}

function Names(props: { names: readonly string[] }) {
  return (
    <Show when={props.names.length} fallback={<span class="soft">nobody</span>}>
      <ul class={styles.names}>
        <For each={props.names.slice(0, MOST)}>{(name) => <li class="told">{name}</li>}</For>
        <Show when={props.names.length > MOST}>
          <li class="soft">and {props.names.length - MOST} more</li>
        </Show>
      </ul>
    </Show>
  );
}

function Editing(props: {
  limit: Limit | "new" | undefined;
  onClose: () => void;
  set: (name: string, slots: number, decay: number) => Promise<unknown>;
}) {
  const [name, setName] = createSignal("");
  const [slots, setSlots] = createSignal("1");
  const [decay, setDecay] = createSignal("0");
  const known = () => (props.limit === "new" ? undefined : props.limit);
  createEffect(() => {
    setName(known()?.name ?? "");
    setSlots(String(known()?.slots ?? 1));
    setDecay(String(known()?.decay ?? 0));
  });
  const slotsProblem = () => (/^\d{1,9}$/.test(slots().trim()) ? "" : "This is a whole number, 0 or greater.");
  const decayProblem = () => (Number(decay()) >= 0 && decay().trim() ? "" : "This is a number, 0 or greater.");
  return (
    <Asking
      open={props.limit !== undefined}
      title={known() ? `Change ${known()!.name}` : "New limit"}
      action="Keep"
      ready={name().trim() !== "" && !slotsProblem() && !decayProblem()}
      onClose={props.onClose}
      run={() =>
        props.set(name().trim(), Number(slots()), Number(decay())).then(() => tell("The limit counts from now on."))
      }
    >
      <Show when={!known()}>
        <Field label="Name">
          {(ids) => (
            <Input {...ids} autocomplete="off" value={name()} onInput={(event) => setName(event.currentTarget.value)} />
          )}
        </Field>
      </Show>
      <Field
        label="Slots"
        hint="0 closes the limit: who holds a slot keeps it, and nobody gets another."
        error={slotsProblem()}
      >
        {(ids) => (
          <Input
            {...ids}
            inputmode="numeric"
            value={slots()}
            onInput={(event) => setSlots(event.currentTarget.value)}
          />
        )}
      </Field>
      <Field
        label="Come back a second"
        hint="For a rate: slots that come back by themselves. 0 for a limit that is given back."
        error={decayProblem()}
      >
        {(ids) => (
          <Input
            {...ids}
            inputmode="decimal"
            value={decay()}
            onInput={(event) => setDecay(event.currentTarget.value)}
          />
        )}
      </Field>
    </Asking>
  );
}
