import { Page } from "~/components/page";

export function Keys() {
  return <Page title="Keys">{null}</Page>;
}
