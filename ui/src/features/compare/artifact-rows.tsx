import { A } from "@solidjs/router";
import { For, Show, createMemo } from "solid-js";
import { Button } from "~/components/button";
import { Icon } from "~/components/icon";
import { artifactText, isLeftOut, kindLook } from "~/data/artifact-kinds";
import type { Artifact } from "~/data/artifact-kinds";
import { bytes } from "~/lib/numbers";
import { paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { artifactLines } from "./compared";
import type { ArtifactLine, Compared } from "./compared";
import { Line, Section } from "./section";
import { inOrder, kept } from "./values";
import styles from "./compare.module.css";

/** Whether two artifacts differ; `undefined` where one would have to read both to know. */
export function isOther(one: Artifact | undefined, first: Artifact | undefined): boolean | undefined {
  if (!one || !first) return one !== first;
  if (one.size_bytes !== first.size_bytes) return true;
  if (isLeftOut(one) || isLeftOut(first)) return undefined;
  return artifactText(one.kind, one.data) !== artifactText(first.kind, first.data);
}

interface Told extends ArtifactLine {
  differs: boolean;
}

function toldLines(runs: readonly Compared[]): Told[] {
  return artifactLines(runs).map((line) => {
    const there = line.each.filter((one) => one !== null);
    return { ...line, differs: there.some((one) => isOther(one, there[0]) ?? true) };
  });
}

/** What each run made under each key, whether it is the same, and where it is. */
export function ArtifactRows(props: { runs: readonly Compared[]; only: boolean }) {
  const search = useSearch();
  const lines = createMemo<Told[]>((before) => kept(toldLines(props.runs), before), []);
  const kind = (line: Told) => kindLook(line.kind);
  return (
    <Section
      title="Artifacts"
      runs={props.runs.length}
      lines={lines().length}
      different={lines().filter((one) => one.differs).length}
      only={props.only}
      none="No run made any with a key"
      reading={props.runs.some((one) => !one.artifactsRead() && !one.error() && !one.problem())}
    >
      <For each={inOrder(lines(), props.only)}>
        {(line) => (
          <Line
            label={
              <span class={styles.artifact}>
                <Icon name={kind(line).icon} size={14} />
                <span class="told">{line.key}</span>
                <span class="sr-only">, {kind(line).label}</span>
              </span>
            }
            title={`${kind(line).label}: ${line.key}`}
            cells={line.each}
            differs={line.differs}
            isOther={(one, first) => isOther(one ?? undefined, first ?? undefined) ?? false}
          >
            {(artifact, place) => (
              <Show when={artifact !== null}>
                <Show when={artifact} fallback={<span class="soft">–</span>}>
                  {(artifact) => (
                    <span class={styles.made}>
                      <A href={paths.run(props.runs[place]!.id, "artifacts", { artifact: artifact().id })}>
                        {bytes(artifact().size_bytes)}
                      </A>
                      <Verdict artifact={artifact()} first={line.each[0]} place={place} />
                      <Show when={place && line.each[0] && (isOther(artifact(), line.each[0]) ?? true)}>
                        <Button
                          kind="quiet"
                          onClick={() =>
                            search.set({ key: `${line.kind} ${line.key}`, of: props.runs[place]!.id }, { push: true })
                          }
                        >
                          Changes
                        </Button>
                      </Show>
                    </span>
                  )}
                </Show>
              </Show>
            )}
          </Line>
        )}
      </For>
    </Section>
  );
}

function Verdict(props: { artifact: Artifact; first: Artifact | undefined | null; place: number }) {
  const told = () => {
    if (!props.place || !props.first) return "";
    const other = isOther(props.artifact, props.first);
    return other === undefined ? "as large" : other ? "changed" : "the same";
  };
  return (
    <Show when={told()}>
      <span class="soft">{told()}</span>
    </Show>
  );
}
