/** Starts the flow of a run again with other parameters, in a form made from what its code says of them. */

import { useNavigate } from "@solidjs/router";
import { useQuery } from "@tanstack/solid-query";
import { Show, createSignal } from "solid-js";
import { Dialog } from "~/components/dialog";
import { Field, Input } from "~/components/field";
import { ErrorNote, Loading } from "~/components/notice";
import { SchemaForm } from "~/components/schema-form";
import { tell } from "~/components/toasts";
import { known } from "~/data/queries";
import type { FullRun } from "~/data/run";
import { answered, api } from "~/lib/http";
import { paths } from "~/lib/paths";
import { useDialogs } from "./dialogs";
import type { RunActions } from "./run-api";
import styles from "./action-dialogs.module.css";

export function AgainDialog(props: { run: FullRun; actions: RunActions }) {
  const dialogs = useDialogs();
  const navigate = useNavigate();
  const [name, setName] = createSignal("");
  const [problem, setProblem] = createSignal<Error | null>(null);
  const code = useQuery(() => ({
    queryKey: ["inspect", props.run.flow],
    queryFn: ({ signal }) =>
      answered(api.POST("/api/flows/{flow}/inspect", { params: { path: { flow: props.run.flow } }, signal })),
    staleTime: 60_000,
    retry: false,
  }));
  const start = async (value: unknown) => {
    setProblem(null);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      setProblem(new Error("Parameters are an object: each by its name."));
      return;
    }
    try {
      const made = await props.actions.startAgain(props.run, {
        parameters: value as Record<string, unknown>,
        name: name().trim(),
      });
      tell(`${made.name} was started.`);
      navigate(paths.run(made.id));
    } catch (error) {
      setProblem(error as Error);
    }
  };
  return (
    <Dialog open wide title={`Run ${props.run.flow.slice(0, 100)} again`} onClose={dialogs.close}>
      <Show when={!code.isPending} fallback={<Loading what="what the flow takes" rows={5} />}>
        <Show when={code.error}>
          {(error) => (
            <p class={`${styles.note} told`}>
              What the flow takes could not be found out: {error().message} Here are the parameters of this run. What
              JSON cannot hold stands there as text.
            </p>
          )}
        </Show>
        <Show when={known(code)?.note}>{(note) => <p class={`${styles.note} told`}>{note()}</p>}</Show>
        <SchemaForm
          schema={known(code)?.parameters ?? null}
          values={props.run.parameters}
          submit="Start"
          busy={props.actions.busy()}
          onSubmit={(value) => void start(value)}
          onCancel={dialogs.close}
        >
          <Field label="Name of the new run" hint="Made up when left empty.">
            {(ids) => (
              <Input
                {...ids}
                autocomplete="off"
                value={name()}
                onInput={(event) => setName(event.currentTarget.value)}
              />
            )}
          </Field>
          <Show when={problem()}>{(problem) => <ErrorNote error={problem()} />}</Show>
        </SchemaForm>
      </Show>
    </Dialog>
  );
}
