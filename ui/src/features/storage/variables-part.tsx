/** Values that flows read by name. */

import { Show, createEffect, createMemo, createSignal } from "solid-js";
import { Asking } from "~/components/asking";
import { Button } from "~/components/button";
import { Card } from "~/components/card";
import { Field, Input, TextArea } from "~/components/field";
import { Answer, Empty } from "~/components/notice";
import { ShortTable } from "~/components/short-table";
import { Time } from "~/components/time";
import { tell } from "~/components/toasts";
import { useMe } from "~/data/me";
import { useVariables } from "./api";
import type { Variable } from "./api";
import { parsedJson, shownJson } from "./json-text";

export function VariablesPart() {
  const variables = useVariables();
  const me = useMe();
  const [editing, setEditing] = createSignal<Variable | "new">();
  const [removing, setRemoving] = createSignal<Variable>();
  const all = createMemo(() => variables.query.data?.pages.flatMap((page) => page.variables) ?? []);
  return (
    <Card
      title="Variables"
      flush
      aside={
        me.may("operate") && (
          <Button icon="plus" onClick={() => setEditing("new")}>
            New variable
          </Button>
        )
      }
    >
      <Answer
        query={{ data: variables.query.data, error: variables.query.error, refetch: () => variables.query.refetch() }}
        what="variables"
      >
        {() => (
          <>
            <ShortTable
              label="Variables"
              rows={all()}
              columns={[
                { title: "Name", cell: (variable) => <strong class="told">{variable.name}</strong> },
                { title: "Value", cell: (variable) => <code class="told">{shownJson(variable.value, 160)}</code> },
                { title: "Tags", cell: (variable) => <span class="told soft">{variable.tags.join(", ")}</span> },
                { title: "Set", cell: (variable) => <Time at={variable.updated} /> },
                {
                  title: "What can be done",
                  untitled: true,
                  right: true,
                  cell: (variable) =>
                    me.may("operate") && (
                      <>
                        <Button aria-label={`Change ${variable.name}`} onClick={() => setEditing(variable)}>
                          Change
                        </Button>
                        <Button
                          icon="trash"
                          aria-label={`Remove ${variable.name}`}
                          onClick={() => setRemoving(variable)}
                        >
                          Remove
                        </Button>
                      </>
                    ),
                },
              ]}
              empty={
                <Empty icon="storage" title="There are no variables yet.">
                  A flow reads one by <code>variables.get("name")</code>.
                </Empty>
              }
            />
            <Show when={variables.query.hasNextPage}>
              <Button
                kind="quiet"
                busy={variables.query.isFetchingNextPage}
                onClick={() => void variables.query.fetchNextPage()}
              >
                Show more
              </Button>
            </Show>
          </>
        )}
      </Answer>
      <Editing variable={editing()} onClose={() => setEditing(undefined)} set={variables.set} />
      <Asking
        open={removing() !== undefined}
        title={`Remove ${removing()?.name}`}
        action="Remove"
        isDanger
        onClose={() => setRemoving(undefined)}
        run={() => variables.remove(removing()!.name).then(() => tell("The variable is removed."))}
      >
        <p>Flows that read it get their default from now on, or fail where they have none.</p>
      </Asking>
    </Card>
  );
}

function Editing(props: {
  variable: Variable | "new" | undefined;
  onClose: () => void;
  set: (name: string, value: unknown, tags: string[]) => Promise<unknown>;
}) {
  const [name, setName] = createSignal("");
  const [text, setText] = createSignal("");
  const [tags, setTags] = createSignal("");
  const known = () => (props.variable === "new" ? undefined : props.variable);
  createEffect(() => {
    const variable = known();
    setName(variable?.name ?? "");
    setText(variable ? shownJson(variable.value) : "");
    setTags(variable?.tags.join(", ") ?? "");
  });
  const value = createMemo(() => parsedJson(text()));
  const tagList = () => [
    ...new Set(
      tags()
        .split(",")
        .map((tag) => tag.trim())
        .filter(Boolean),
    ),
  ];
  return (
    <Asking
      open={props.variable !== undefined}
      title={known() ? `Change ${known()!.name}` : "New variable"}
      action="Keep"
      ready={name().trim() !== "" && "value" in value()}
      onClose={props.onClose}
      run={async () => {
        const told = value();
        if ("value" in told)
          await props.set(name().trim(), told.value, tagList()).then(() => tell("The variable is kept."));
      }}
    >
      <Show when={!known()}>
        <Field label="Name">
          {(ids) => (
            <Input {...ids} autocomplete="off" value={name()} onInput={(event) => setName(event.currentTarget.value)} />
          )}
        </Field>
      </Show>
      <Field
        label="Value, as JSON"
        hint='Such as 5, "text", or {"rows": 10}.'
        error={text() && "problem" in value() ? (value() as { problem: string }).problem : ""}
      >
        {(ids) => (
          <TextArea
            {...ids}
            spellcheck={false}
            value={text()}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
      </Field>
      <Field label="Tags" hint="With commas between them.">
        {(ids) => (
          <Input {...ids} autocomplete="off" value={tags()} onInput={(event) => setTags(event.currentTarget.value)} />
        )}
      </Field>
    </Asking>
  );
}
