import { Page } from "~/components/page";

export function Flows() {
  return <Page title="Flows">{null}</Page>;
}
