import { Show, createMemo } from "solid-js";
import { Dialog } from "~/components/dialog";
import { ErrorNote, Loading } from "~/components/notice";
import { TextDiff } from "~/components/text-diff";
import { artifactText } from "~/data/artifact-kinds";
import type { Artifact } from "~/data/artifact-kinds";
import { useArtifactData } from "~/data/artifacts";
import { useSearch } from "~/lib/search";
import { artifactLines } from "./compared";
import type { Compared } from "./compared";
import styles from "./compare.module.css";

/** What changed in one artifact from the first run to the one that the URL names. */
export function ArtifactChanges(props: { runs: readonly Compared[] }) {
  const search = useSearch();
  const pair = createMemo(() => {
    const place = props.runs.findIndex((one) => one.id === search.one("of"));
    const line = artifactLines(props.runs).find((one) => `${one.kind} ${one.key}` === search.one("key"));
    const [first, other] = [line?.each[0], line?.each[place]];
    return place > 0 && first && other ? { first, other, name: props.runs[place]!.run()?.name ?? "" } : undefined;
  });
  return (
    <Dialog
      open={Boolean(pair())}
      title={`${pair()?.first.key ?? ""} in ${props.runs[0]?.run()?.name ?? ""} and ${pair()?.name ?? ""}`}
      onClose={() => search.set({ key: undefined, of: undefined })}
      wide
    >
      <Show when={pair()}>{(pair) => <Changes first={pair().first} other={pair().other} />}</Show>
    </Dialog>
  );
}

function Changes(props: { first: Artifact; other: Artifact }) {
  const first = useArtifactData(() => props.first);
  const other = useArtifactData(() => props.other);
  return (
    <Show
      when={first.data() && other.data()}
      fallback={
        <Show when={first.error() ?? other.error()} fallback={<Loading what="both" />}>
          {(error) => <ErrorNote error={error()} />}
        </Show>
      }
    >
      <Show when={props.first.kind === "table"}>
        <p class={styles.note}>Tables are compared row by row, as CSV.</p>
      </Show>
      <TextDiff
        label="Changes"
        before={artifactText(props.first.kind, first.data()!.data)}
        after={artifactText(props.other.kind, other.data()!.data)}
      />
    </Show>
  );
}
