/** What the store keeps, for how long, and what lies beside runs. */

import { Match, Switch } from "solid-js";
import { Page } from "~/components/page";
import { Tabs } from "~/components/tabs";
import { paths } from "~/lib/paths";
import { useSearch } from "~/lib/search";
import { CachePart } from "./cache-part";
import { LimitsPart } from "./limits-part";
import { RetentionPart } from "./retention-part";
import { VariablesPart } from "./variables-part";

const PARTS = [
  ["retention", "Retention and sizes"],
  ["cache", "Cache"],
  ["variables", "Variables"],
  ["limits", "Concurrency limits"],
] as const;

export function Storage() {
  const search = useSearch();
  const part = () => search.one("part") || "retention";
  return (
    <Page title="Storage">
      <Tabs
        label="Parts of the storage"
        tabs={PARTS.map(([key, label]) => ({
          href: `${paths.storage()}?part=${key}`,
          label,
          current: part() === key,
        }))}
      />
      <Switch>
        <Match when={part() === "retention"}>
          <RetentionPart />
        </Match>
        <Match when={part() === "cache"}>
          <CachePart />
        </Match>
        <Match when={part() === "variables"}>
          <VariablesPart />
        </Match>
        <Match when={part() === "limits"}>
          <LimitsPart />
        </Match>
      </Switch>
    </Page>
  );
}
