/** What can be said of a new password before the server is asked. */

export type PasswordField = "old" | "fresh" | "again";

const SHORTEST = 12;

export function passwordProblem(given: Record<PasswordField, string>): { at: PasswordField; text: string } | undefined {
  if (!given.old) return { at: "old", text: "Your password as it is now is wanted." };
  if ([...given.fresh].length < SHORTEST)
    return { at: "fresh", text: `It has ${[...given.fresh].length} characters; at least ${SHORTEST} are wanted.` };
  if (given.fresh !== given.again) return { at: "again", text: "This is not the same as the one above." };
  return undefined;
}
