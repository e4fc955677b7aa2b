import { Match, Show, Switch, createMemo } from "solid-js";
import { Button } from "~/components/button";
import { CopyButton } from "~/components/copy-button";
import { DataTable } from "~/components/data-table";
import { Icon } from "~/components/icon";
import { Markdown } from "~/components/markdown";
import { pictureOf, webAddress } from "~/components/markdown-rules";
import { ErrorNote, Loading } from "~/components/notice";
import { ProgressBar } from "~/components/progress-bar";
import { tableOf } from "~/components/table-data";
import type { Sorting } from "~/components/virtual-table";
import { artifactName, artifactText, progressOf } from "~/data/artifact-kinds";
import type { Artifact } from "~/data/artifact-kinds";
import { useArtifactData } from "~/data/artifacts";
import { bytes } from "~/lib/numbers";
import { useSearch } from "~/lib/search";
import { Picture } from "./picture";
import styles from "./artifacts.module.css";

/** Characters of JSON and other text that are shown. */
const MOST = 200_000;

/** What is in an artifact, as its kind asks for. */
export function ArtifactContent(props: { artifact: Artifact; onSave: () => void }) {
  const told = useArtifactData(() => props.artifact);
  return (
    <Show
      when={told.data()}
      fallback={
        <Show when={told.error()} fallback={<Loading what="the artifact" />}>
          {(error) => <ErrorNote error={error()} retry={told.again} />}
        </Show>
      }
    >
      {(found) => <Kind artifact={props.artifact} data={found().data} onSave={props.onSave} />}
    </Show>
  );
}

function Kind(props: { artifact: Artifact; data: unknown; onSave: () => void }) {
  const table = createMemo(() => (props.artifact.kind === "table" ? tableOf(props.data) : undefined));
  const link = () => (props.artifact.kind === "link" ? linkOf(props.data) : undefined);
  const markdown = () =>
    props.artifact.kind === "markdown" && typeof props.data === "string" ? props.data : undefined;
  const picture = () => (props.artifact.kind === "image" ? pictureTold(props.data) : undefined);
  return (
    <Switch fallback={<Plain artifact={props.artifact} data={props.data} onSave={props.onSave} />}>
      <Match when={markdown() !== undefined}>
        <Markdown text={markdown()!} />
      </Match>
      <Match when={table()}>{(table) => <Table artifact={props.artifact} table={table()} />}</Match>
      <Match when={props.artifact.kind === "progress" && progressOf(props.data) !== undefined}>
        <div class={styles.progress}>
          <ProgressBar large value={progressOf(props.data)} label={artifactName(props.artifact)} />
        </div>
      </Match>
      <Match when={link()}>{(link) => <Link {...link()} />}</Match>
      <Match when={picture()}>
        {(picture) => <Picture artifact={props.artifact} {...picture()} onSave={props.onSave} />}
      </Match>
    </Switch>
  );
}

function Table(props: { artifact: Artifact; table: NonNullable<ReturnType<typeof tableOf>> }) {
  const search = useSearch();
  const sorting = (): Sorting | undefined => {
    const [key, way] = search.one("sort").split(".");
    return key ? { key, descending: way === "down" } : undefined;
  };
  return (
    <DataTable
      label={artifactName(props.artifact).slice(0, 300)}
      table={props.table}
      fileName={props.artifact.key || "table"}
      sorting={sorting()}
      onSort={(by) => search.set({ sort: `${by.key}.${by.descending ? "down" : "up"}` })}
      filter={search.one("rows")}
      onFilter={(text) => search.set({ rows: text })}
    />
  );
}

interface ToldLink {
  address: string;
  text: string;
}

function linkOf(data: unknown): ToldLink | undefined {
  if (!data || typeof data !== "object" || !("link" in data) || typeof data.link !== "string") return undefined;
  const text = "text" in data && typeof data.text === "string" ? data.text : "";
  return { address: data.link, text };
}

/** A link by its words, with the whole address beside it: what one presses is what one sees. */
function Link(props: ToldLink) {
  const address = () => webAddress(props.address);
  return (
    <div class={styles.linkBox}>
      <Show
        when={address()}
        fallback={
          <p class={styles.note}>
            <Icon name="info" /> This address leads neither to the web nor to a mail, so it is only shown.
          </p>
        }
      >
        <a class={`${styles.big} told`} href={address()} target="_blank" rel="noopener noreferrer">
          {props.text || props.address} <Icon name="external" />
        </a>
      </Show>
      <p class={styles.address}>
        <code class="told">{props.address}</code>
        <CopyButton text={props.address} label="Copy the address" />
      </p>
    </div>
  );
}

function pictureTold(data: unknown): { address: string; mediaType: string; size: number } | undefined {
  if (!data || typeof data !== "object") return undefined;
  if ("url" in data && typeof data.url === "string")
    return { address: pictureOf(data.url) || data.url, mediaType: "", size: 0 };
  if (!("base64" in data) && !("kept" in data)) return undefined;
  const { media_type: mediaType, size_bytes: size } = data as { media_type?: unknown; size_bytes?: unknown };
  return { address: "", mediaType: String(mediaType ?? ""), size: Number(size ?? 0) };
}

/** Anything else, as the text that it is. */
function Plain(props: { artifact: Artifact; data: unknown; onSave: () => void }) {
  const text = createMemo(() => (typeof props.data === "string" ? props.data : artifactText("", props.data)));
  return (
    <>
      <Show when={text().length > MOST}>
        <p class={styles.note}>
          The first part of {bytes(props.artifact.size_bytes)}.
          <Button icon="download" onClick={() => props.onSave()}>
            Save all of it
          </Button>
        </p>
      </Show>
      <pre class={styles.plain} dir="auto" tabIndex={0} role="region" aria-label="Data">
        {text().slice(0, MOST)}
      </pre>
    </>
  );
}
