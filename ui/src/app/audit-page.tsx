import { Audit } from "~/features/audit/audit";

export default function AuditPage() {
  return <Audit />;
}
