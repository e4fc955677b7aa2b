import { Compare } from "~/features/compare/compare";

export default function ComparePage() {
  return <Compare />;
}
