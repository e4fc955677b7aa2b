/** The page of one run: its header, and one of its parts. */

import { useParams } from "@solidjs/router";
import { Suspense, lazy } from "solid-js";
import { Dynamic } from "solid-js/web";
import { Loading } from "~/components/notice";
import { RunProvider, createRunData } from "~/data/run";
import { RunFrame } from "~/features/run/run-frame";
import { TABS } from "~/lib/paths";
import type { Tab } from "~/lib/paths";

const PARTS = {
  timeline: lazy(async () => ({ default: (await import("~/features/timeline/timeline")).Timeline })),
  graph: lazy(async () => ({ default: (await import("~/features/graph/graph")).Graph })),
  tasks: lazy(async () => ({ default: (await import("~/features/tasks/tasks")).Tasks })),
  logs: lazy(async () => ({ default: (await import("~/features/logs/logs")).Logs })),
  artifacts: lazy(async () => ({ default: (await import("~/features/artifacts/artifacts")).Artifacts })),
  metrics: lazy(async () => ({ default: (await import("~/features/metrics/metrics")).Metrics })),
  attempts: lazy(async () => ({ default: (await import("~/features/attempts/attempts")).Attempts })),
  why: lazy(async () => ({ default: (await import("~/features/why/why")).Why })),
} satisfies Record<Tab, unknown>;

export default function RunPage() {
  const params = useParams<{ run: string; tab?: string }>();
  const tab = (): Tab => (TABS.includes(params.tab as Tab) ? (params.tab as Tab) : "timeline");
  const data = createRunData(() => params.run);
  return (
    <RunProvider value={data}>
      <RunFrame tab={tab()}>
        <Suspense fallback={<Loading rows={8} />}>
          <Dynamic component={PARTS[tab()]} />
        </Suspense>
      </RunFrame>
    </RunProvider>
  );
}
