/** Where one goes after logging in: a path of this very UI, whatever the URL says. */

const OWN = "http://own.invalid";

/** The path that `told` stands for, or the start page where it would lead elsewhere. */
export function safeNext(told: string): string {
  if (!told.startsWith("/")) return "/";
  let url;
  try {
    // As a browser reads it: tabs and line breaks are left out, and a backslash is a slash.
    url = new URL(told, OWN);
  } catch {
    return "/";
  }
  const path = url.pathname + url.search + url.hash;
  const isOwn = url.origin === OWN && !path.startsWith("//");
  return isOwn && !/^\/login(?![^/?#])/.test(path) ? path : "/";
}
