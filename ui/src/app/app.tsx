/** Which page stands at which path. Each is loaded when it is opened. */

import { Route, Router } from "@solidjs/router";
import { QueryClientProvider } from "@tanstack/solid-query";
import { lazy } from "solid-js";
import { queryClient } from "~/data/queries";
import { basePath } from "~/lib/paths";
import { Shell } from "./shell";

const HomePage = lazy(() => import("./home-page"));
const RunsPage = lazy(() => import("./runs-page"));
const RunPage = lazy(() => import("./run-page"));
const ComparePage = lazy(() => import("./compare-page"));
const FlowsPage = lazy(() => import("./flows-page"));
const FlowPage = lazy(() => import("./flow-page"));
const SettingsPage = lazy(() => import("./settings-page"));
const UsersPage = lazy(() => import("./users-page"));
const KeysPage = lazy(() => import("./keys-page"));
const AuditPage = lazy(() => import("./audit-page"));
const StoragePage = lazy(() => import("./storage-page"));
const LoginPage = lazy(() => import("./login-page"));
const NothingPage = lazy(() => import("./nothing-page"));

export function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <Router base={basePath}>
        <Route path="/login" component={LoginPage} />
        <Route component={Shell}>
          <Route path="/" component={HomePage} />
          <Route path="/runs" component={RunsPage} />
          <Route path="/runs/:run/:tab?" component={RunPage} />
          <Route path="/compare" component={ComparePage} />
          <Route path="/flows" component={FlowsPage} />
          <Route path="/flows/:flow" component={FlowPage} />
          <Route path="/settings" component={SettingsPage} />
          <Route path="/users" component={UsersPage} />
          <Route path="/keys" component={KeysPage} />
          <Route path="/audit" component={AuditPage} />
          <Route path="/storage" component={StoragePage} />
          <Route path="*" component={NothingPage} />
        </Route>
      </Router>
    </QueryClientProvider>
  );
}
