import { Page } from "~/components/page";

export function Settings() {
  return <Page title="Settings">{null}</Page>;
}
