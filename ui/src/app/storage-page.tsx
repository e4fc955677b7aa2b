import { Storage } from "~/features/storage/storage";

export default function StoragePage() {
  return <Storage />;
}
