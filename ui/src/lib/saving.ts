/** Giving the browser a file to keep. */

// oxlint-disable-next-line no-control-regex -- no name of a file has them
const NOT_IN_NAMES = /[\u0000-\u001f\u007f"*/:<>?\\|\u202a-\u202e\u2066-\u2069]+/g;

export function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name.replace(NOT_IN_NAMES, "-").slice(0, 120);
  link.click();
  // Not at once: the browser takes it after this.
  setTimeout(() => URL.revokeObjectURL(url), 30_000);
}
