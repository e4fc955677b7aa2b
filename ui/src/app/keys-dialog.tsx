import { Dialog } from "~/components/dialog";
import { KeysList } from "~/components/keys-list";
import { shortcuts } from "~/lib/keys";

/** The keys that work on the page that is open. */
export function KeysDialog(props: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={props.open} title="Keys" onClose={props.onClose}>
      <KeysList shortcuts={shortcuts()} />
    </Dialog>
  );
}
