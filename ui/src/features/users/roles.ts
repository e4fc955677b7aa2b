/** What each role may do, as people ask for it. */

export const ROLES = ["viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

export const MAY: Record<Role, string> = {
  viewer: "Sees runs, logs, artifacts and metrics.",
  operator: "Starts, cancels, resumes and deletes runs, changes variables and limits, and records runs from elsewhere.",
  admin: "All of that, and manages users, keys and retention, and reads the audit log.",
};
