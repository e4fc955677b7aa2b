import { Page } from "~/components/page";

export function Storage() {
  return <Page title="Storage">{null}</Page>;
}
