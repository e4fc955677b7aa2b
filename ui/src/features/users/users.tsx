import { Page } from "~/components/page";

export function Users() {
  return <Page title="Users">{null}</Page>;
}
