import { A } from "@solidjs/router";
import { Empty } from "~/components/notice";
import { Page } from "~/components/page";
import { paths } from "~/lib/paths";

export default function NothingPage() {
  return (
    <Page title="Nothing here">
      <Empty icon="question" title="There is nothing at this address.">
        <A href={paths.runs()}>All runs</A>
      </Empty>
    </Page>
  );
}
