import { Page } from "~/components/page";

export function Login() {
  return <Page title="Log in">{null}</Page>;
}
