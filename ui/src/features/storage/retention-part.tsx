/** How long finished runs are kept, and what there is. */

import { Show, createSignal } from "solid-js";
import { Asking } from "~/components/asking";
import { Button } from "~/components/button";
import { Card } from "~/components/card";
import { Field, Input, Select } from "~/components/field";
import { Answer, Empty, ErrorNote, Loading } from "~/components/notice";
import { ShortTable } from "~/components/short-table";
import { StateBadge } from "~/components/state-badge";
import { tell } from "~/components/toasts";
import { useMe } from "~/data/me";
import { bytes, count } from "~/lib/numbers";
import { lookOf } from "~/lib/state";
import { useRules, useSizes } from "./api";
import { inOrder, lengthInWords, secondsOf, sentenceOf } from "./rules";
import type { Rule } from "./rules";

const STATES = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"] as const;
const UNITS = [
  ["hours", "hours"],
  ["days", "days"],
  ["weeks", "weeks"],
  ["ever", "for ever"],
] as const;

export function RetentionPart() {
  const rules = useRules();
  const me = useMe();
  const [counting, setCounting] = createSignal(false);
  const sizes = useSizes(counting);
  const [adding, setAdding] = createSignal(false);
  const [removing, setRemoving] = createSignal<Rule>();
  return (
    <>
      <Card
        title="Rules"
        flush
        aside={
          me.may("admin") && (
            <Button icon="plus" onClick={() => setAdding(true)}>
              New rule
            </Button>
          )
        }
      >
        <Answer query={rules.query} what="rules">
          {(found) => (
            <ShortTable
              label="Rules of retention, the one that counts first at the top"
              rows={inOrder(found())}
              columns={[
                {
                  title: "Flow",
                  cell: (rule) =>
                    rule.flow ? <span class="told">{rule.flow}</span> : <span class="soft">every flow</span>,
                },
                {
                  title: "Ended",
                  cell: (rule) =>
                    rule.state ? <StateBadge state={rule.state} /> : <span class="soft">in any way</span>,
                },
                { title: "Kept for", cell: (rule) => (rule.age === null ? "ever" : lengthInWords(rule.age)) },
                { title: "That is", cell: (rule) => <span class="told">{sentenceOf(rule)}</span> },
                {
                  title: "What can be done",
                  untitled: true,
                  right: true,
                  cell: (rule) =>
                    me.may("admin") && (
                      <Button
                        icon="trash"
                        onClick={() => setRemoving(rule)}
                        aria-label={`Remove the rule: ${sentenceOf(rule)}`}
                      >
                        Remove
                      </Button>
                    ),
                },
              ]}
              empty={
                <Empty icon="storage" title="Everything is kept.">
                  With a rule, runs that ended long ago are removed with all that belongs to them.
                </Empty>
              }
            />
          )}
        </Answer>
      </Card>
      <Show when={me.may("admin")}>
        <Card
          title="Sizes"
          flush
          aside={
            <Button busy={sizes.isFetching} onClick={() => (counting() ? void sizes.refetch() : setCounting(true))}>
              {counting() ? "Count again" : "Count"}
            </Button>
          }
        >
          <Show
            when={counting()}
            fallback={
              <Empty icon="storage" title="Nothing was counted yet.">
                Counting reads all records, so it is done when you ask for it.
              </Empty>
            }
          >
            <Show when={sizes.error}>{(error) => <ErrorNote error={error()} />}</Show>
            <Show
              when={sizes.data}
              fallback={
                <Show when={!sizes.error}>
                  <Loading what="sizes" />
                </Show>
              }
            >
              {(found) => (
                <ShortTable
                  label="Sizes"
                  rows={found()}
                  columns={[
                    { title: "Kind", cell: (size) => size.kind.replaceAll("_", " ") },
                    { title: "Records", right: true, cell: (size) => <span class="number">{count(size.rows)}</span> },
                    {
                      title: "On disk",
                      right: true,
                      cell: (size) => <span class="number">{size.size_bytes < 0 ? "–" : bytes(size.size_bytes)}</span>,
                    },
                  ]}
                  empty={<Empty title="There is nothing yet." />}
                />
              )}
            </Show>
          </Show>
        </Card>
      </Show>
      <NewRule open={adding()} onClose={() => setAdding(false)} set={rules.set} />
      <Asking
        open={removing() !== undefined}
        title="Remove a rule"
        action="Remove"
        isDanger
        onClose={() => setRemoving(undefined)}
        run={() => rules.remove(removing()!).then(() => tell("The rule is removed."))}
      >
        <p class="told">{removing() && sentenceOf(removing()!)}</p>
        <p>Without it these runs are kept as the next rule says, or for ever.</p>
      </Asking>
    </>
  );
}

function NewRule(props: { open: boolean; onClose: () => void; set: (rule: Rule) => Promise<unknown> }) {
  const [flow, setFlow] = createSignal("");
  const [state, setState] = createSignal("");
  const [number, setNumber] = createSignal("90");
  const [unit, setUnit] = createSignal("days");
  const age = () => (unit() === "ever" ? null : secondsOf(number(), unit()));
  const isLength = () => unit() === "ever" || age() !== null;
  const rule = (): Rule => ({ flow: flow().trim(), state: state() || null, age: age() });
  return (
    <Asking
      open={props.open}
      title="New rule"
      action="Keep by this rule"
      isDanger={unit() !== "ever"}
      ready={isLength()}
      onClose={props.onClose}
      run={() => props.set(rule()).then(() => tell("The rule counts from now on."))}
    >
      <Field label="Flow" hint="Its exact name; empty for every flow.">
        {(ids) => (
          <Input {...ids} autocomplete="off" value={flow()} onInput={(event) => setFlow(event.currentTarget.value)} />
        )}
      </Field>
      <Field label="Ended">
        {(ids) => (
          <Select
            {...ids}
            value={state()}
            options={[["", "in any way"] as const, ...STATES.map((one) => [one, lookOf(one).label] as const)]}
            onChange={(event) => setState(event.currentTarget.value)}
          />
        )}
      </Field>
      <Field label="Keep for" error={isLength() ? "" : "This is a number, 0 or greater."}>
        {(ids) => (
          <>
            <Show when={unit() !== "ever"}>
              <Input
                {...ids}
                inputmode="decimal"
                value={number()}
                onInput={(event) => setNumber(event.currentTarget.value)}
              />
            </Show>
            <Select
              aria-label="Unit of time"
              value={unit()}
              options={UNITS}
              onChange={(event) => setUnit(event.currentTarget.value)}
            />
          </>
        )}
      </Field>
      <Show when={isLength()}>
        <p class="told">{sentenceOf(rule())}</p>
      </Show>
    </Asking>
  );
}
