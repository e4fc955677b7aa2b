import { Card } from "~/components/card";
import { KeysList } from "~/components/keys-list";
import { shortcuts } from "~/lib/keys";

/** The keys that work everywhere. */
export function Shortcuts() {
  return (
    <Card title="Keys" aside="? shows those of a page">
      <KeysList shortcuts={shortcuts()} />
    </Card>
  );
}
