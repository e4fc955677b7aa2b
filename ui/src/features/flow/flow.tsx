import { Page } from "~/components/page";

export function Flow() {
  return <Page title="Flow">{null}</Page>;
}
