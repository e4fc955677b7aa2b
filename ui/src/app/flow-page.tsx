import { Flow } from "~/features/flow/flow";

export default function FlowPage() {
  return <Flow />;
}
