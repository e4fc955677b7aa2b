import { Keys } from "~/features/keys/keys";

export default function KeysPage() {
  return <Keys />;
}
