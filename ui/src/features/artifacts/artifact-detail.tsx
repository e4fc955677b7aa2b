import { A } from "@solidjs/router";
import { useQuery } from "@tanstack/solid-query";
import { For, Show, createSignal } from "solid-js";
import { Button, IconButton } from "~/components/button";
import { CopyButton } from "~/components/copy-button";
import { Icon } from "~/components/icon";
import { Time } from "~/components/time";
import { tellProblem } from "~/components/toasts";
import { artifactName, kindLook } from "~/data/artifact-kinds";
import type { Artifact } from "~/data/artifact-kinds";
import { known } from "~/data/queries";
import { useRun } from "~/data/run";
import { answered, api } from "~/lib/http";
import { bytes } from "~/lib/numbers";
import { below, paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { ArtifactContent } from "./artifact-content";
import { ArtifactHistory } from "./artifact-history";
import { saveArtifact } from "./saving";
import styles from "./artifacts.module.css";

/** One artifact in full: what it is, who made it, what is in it, and how it was in other runs. */
export function ArtifactDetail(props: {
  artifact: Artifact;
  /** What this run made under its key, the newest first. */
  versions: readonly Artifact[];
  onVersion: (id: string) => void;
  onBack?: () => void;
}) {
  const search = useSearch();
  const { id } = useRun();
  const [saving, setSaving] = createSignal(false);
  const look = () => kindLook(props.artifact.kind);
  const save = async () => {
    setSaving(true);
    await saveArtifact(props.artifact.id).catch(tellProblem);
    setSaving(false);
  };
  const address = () => location.origin + below(paths.run(id(), "artifacts", { artifact: props.artifact.id }));
  return (
    <article class={styles.article} aria-label={artifactName(props.artifact).slice(0, 300)}>
      <header class={styles.head}>
        <Show when={props.onBack}>
          <IconButton icon="left" label="All artifacts" onClick={() => props.onBack?.()} />
        </Show>
        <span class={styles.kind} title={look().label}>
          <Icon name={look().icon} />
        </span>
        <h2 class={`${styles.name} cut`} title={artifactName(props.artifact).slice(0, 500)}>
          {artifactName(props.artifact).slice(0, 300)}
        </h2>
        <div class={styles.actions}>
          <Show when={props.artifact.key}>
            <Button
              icon="clock"
              aria-pressed={search.one("history") === "1"}
              onClick={() => search.set({ history: search.one("history") ? undefined : "1", with: undefined })}
            >
              Over runs
            </Button>
          </Show>
          <CopyButton text={address()} label="Copy a link to this artifact" />
          <IconButton icon="download" label="Save what is in it" busy={saving()} onClick={() => void save()} />
        </div>
      </header>
      <Show when={props.artifact.key && props.artifact.description}>
        <p class={`${styles.description} told`} dir="auto">
          {props.artifact.description}
        </p>
      </Show>
      <p class={styles.facts}>
        <span>{look().label}</span>
        <MadeBy artifact={props.artifact} />
        <span>
          Made <Time at={props.artifact.created} />
        </span>
        <Show when={props.artifact.updated !== props.artifact.created}>
          <span>
            Changed <Time at={props.artifact.updated} />
          </span>
        </Show>
        <span class="number">{bytes(props.artifact.size_bytes)}</span>
        <Show when={props.versions.length > 1}>
          <VersionPicker {...props} />
        </Show>
      </p>
      <div class={styles.content}>
        <Show when={search.one("history") !== "1"} fallback={<ArtifactHistory artifact={props.artifact} />}>
          <Show when={props.artifact.id} keyed>
            <ArtifactContent artifact={props.artifact} onSave={() => void save()} />
          </Show>
        </Show>
      </div>
    </article>
  );
}

/** The task that made it, or the flow; of a subflow, which. */
function MadeBy(props: { artifact: Artifact }) {
  const search = useSearch();
  const { id } = useRun();
  const task = useQuery(() => ({
    queryKey: ["task-run", props.artifact.task],
    enabled: Boolean(props.artifact.task),
    staleTime: Infinity,
    queryFn: ({ signal }) =>
      answered(api.GET("/api/task-runs/{task}", { params: { path: { task: props.artifact.task! } }, signal })),
  }));
  const name = () => known(task)?.name;
  return (
    <>
      <Show
        when={props.artifact.task}
        fallback={
          <Show when={props.artifact.run === id()}>
            <span>By the flow itself</span>
          </Show>
        }
      >
        {(made) => (
          <span class={styles.maker}>
            By{" "}
            <button
              type="button"
              class={`${styles.link} cut`}
              title={name()?.slice(0, 500)}
              onClick={() => search.set({ task: made() }, { push: true })}
            >
              {name()?.slice(0, 200) ?? "a task"}
            </button>
          </span>
        )}
      </Show>
      <Show when={props.artifact.run !== id()}>
        <A href={paths.run(props.artifact.run, "artifacts", { artifact: props.artifact.id })}>in a subflow</A>
      </Show>
    </>
  );
}

function VersionPicker(props: { artifact: Artifact; versions: readonly Artifact[]; onVersion: (id: string) => void }) {
  return (
    <label class={styles.version}>
      Version
      <select onChange={(event) => props.onVersion(event.currentTarget.value)}>
        <For each={props.versions}>
          {(one, n) => (
            <option value={one.id} selected={one.id === props.artifact.id}>
              {props.versions.length - n()} of {props.versions.length}
              {n() ? "" : " (newest)"}
            </option>
          )}
        </For>
      </select>
    </label>
  );
}
