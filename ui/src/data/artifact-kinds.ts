/** What artifacts are, as pure functions: their kinds, their versions, and what is in them as text. */

import { csv } from "~/lib/csv";
import { exactText } from "~/lib/exact-json";
import type { Shapes } from "~/lib/http";
import type { IconName } from "~/lib/icons";
import { secondsOf } from "~/lib/times";

export type Artifact = Omit<Shapes["ArtifactShape"], "data"> & { data: unknown };

interface KindLook {
  label: string;
  icon: IconName;
}

const KINDS: Record<string, KindLook> = {
  markdown: { label: "Text", icon: "text" },
  table: { label: "Table", icon: "table" },
  link: { label: "Link", icon: "link" },
  image: { label: "Picture", icon: "picture" },
  progress: { label: "Progress", icon: "clock" },
};

export function kindLook(kind: string): KindLook {
  return KINDS[kind] ?? { label: kind || "Data", icon: "braces" };
}

/** Bytes of data up to which an artifact is told with it in lists. */
export const SMALL = 16 * 1024;

/** Whether its data was left out where it was told, since there is too much of it. */
export function isLeftOut(artifact: Artifact): boolean {
  return artifact.data === null && artifact.size_bytes > "null".length;
}

/** An artifact with all that a run made under its key, the newest first; one without a key stands alone. */
export interface Versions {
  newest: Artifact;
  all: readonly Artifact[];
}

/** Artifacts by key, in the order in which the first of each was made. */
export function versionsOf(artifacts: readonly Artifact[]): Versions[] {
  const found = new Map<string, Artifact[]>();
  for (const artifact of artifacts) {
    // A key of another kind than before is another thing: it may have been used by two tasks for two purposes.
    const name = artifact.key ? `${artifact.kind} ${artifact.key}` : artifact.id;
    const known = found.get(name);
    if (known) known.unshift(artifact);
    else found.set(name, [artifact]);
  }
  return [...found.values()].map((all) => ({ newest: all[0]!, all }));
}

/** What it is called: its key, or else what it is about. */
export function artifactName(artifact: Artifact): string {
  return artifact.key || artifact.description || kindLook(artifact.kind).label;
}

/** Those in whose names, descriptions or kinds all words of the filter occur. */
export function artifactsWith(versions: readonly Versions[], filter: string): readonly Versions[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return versions;
  return versions.filter(({ newest }) => {
    const text = `${newest.key} ${newest.description} ${newest.kind} ${kindLook(newest.kind).label}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The artifacts of a run with what was told since, each the newest word on it, in the order in which they were made. */
export function withNews(known: readonly Artifact[], news: readonly Artifact[]): readonly Artifact[] {
  const byId = new Map(known.map((artifact) => [artifact.id, artifact]));
  for (const artifact of news) {
    const before = byId.get(artifact.id);
    if (!before || secondsOf(before.updated) <= secondsOf(artifact.updated)) byId.set(artifact.id, artifact);
  }
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** What is in an artifact as lines of text, to be compared: text as it is, a table as CSV, all else as JSON. */
export function artifactText(kind: string, data: unknown): string {
  if (kind === "markdown" && typeof data === "string") return data;
  if (kind === "table" && data && typeof data === "object" && "columns" in data && "rows" in data) {
    const { columns, rows } = data as { columns: unknown; rows: unknown };
    if (Array.isArray(columns) && Array.isArray(rows))
      return csv(
        columns.map(String),
        rows.map((row: unknown) => (Array.isArray(row) ? row : [row])),
      );
  }
  return exactText(data, 2);
}

/** How far a progress is, in per cent from 0 to 100; `undefined` where that was not told. */
export function progressOf(data: unknown): number | undefined {
  return typeof data === "number" && Number.isFinite(data) ? Math.min(100, Math.max(0, data)) : undefined;
}
