import { Show } from "solid-js";
import { Icon } from "~/components/icon";
import { Empty } from "~/components/notice";
import { ProgressBar } from "~/components/progress-bar";
import { VirtualTable } from "~/components/virtual-table";
import type { Column } from "~/components/virtual-table";
import { artifactName, kindLook, progressOf } from "~/data/artifact-kinds";
import type { Versions } from "~/data/artifact-kinds";
import styles from "./artifacts.module.css";

const COLUMNS: Column<Versions>[] = [
  { key: "artifact", title: "Artifact", width: "minmax(0, 1fr)", cell: (row) => <Entry versions={row} /> },
];

/** All artifacts of the run by key. */
export function ArtifactList(props: {
  versions: readonly Versions[];
  chosen: Versions | undefined;
  onChoose: (versions: Versions) => void;
}) {
  return (
    <VirtualTable
      label="Artifacts"
      rows={props.versions}
      columns={COLUMNS}
      rowHeight={50}
      rowKey={(row) => row.all.at(-1)!.id}
      rowChange={(row) => Date.parse(row.newest.updated ?? "") + row.all.length}
      isSelected={(row) => row.newest.id === props.chosen?.newest.id}
      onOpen={props.onChoose}
      empty={<Empty icon="filter" title="No artifact has a name like that." />}
    />
  );
}

function Entry(props: { versions: Versions }) {
  const newest = () => props.versions.newest;
  const look = () => kindLook(newest().kind);
  const about = () => (newest().key ? newest().description : "");
  return (
    <div class={styles.entry}>
      <span class={styles.kind} title={look().label}>
        <Icon name={look().icon} />
        <span class="sr-only">{look().label}</span>
      </span>
      <div class={styles.words}>
        <span class="cut" title={artifactName(newest()).slice(0, 500)}>
          {artifactName(newest()).slice(0, 300)}
        </span>
        <Show
          when={newest().kind === "progress"}
          fallback={
            <span class={`${styles.about} cut`} title={about().slice(0, 500)}>
              {about().slice(0, 300) || look().label}
            </span>
          }
        >
          <ProgressBar value={progressOf(newest().data)} label={artifactName(newest())} />
        </Show>
      </div>
      <Show when={props.versions.all.length > 1}>
        <span class={styles.many} title={`${props.versions.all.length} versions in this run`}>
          {props.versions.all.length}
        </span>
      </Show>
    </div>
  );
}
