import { Page } from "~/components/page";

export function Compare() {
  return <Page title="Compare">{null}</Page>;
}
