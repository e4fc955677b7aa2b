import { Flows } from "~/features/flows/flows";

export default function FlowsPage() {
  return <Flows />;
}
