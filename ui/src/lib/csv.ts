/** Tables as text, as spreadsheets and programs read it (RFC 4180). */

/** One field: in quotes where it has to be. What is empty and what is an empty text differ by the quotes. */
function field(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text === "" || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv(columns: readonly string[], rows: Iterable<readonly unknown[]>): string {
  const lines = columns.length ? [columns.map(field).join(",")] : [];
  for (const row of rows) lines.push(row.map(field).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

/** The same with tabs, to be pasted into a spreadsheet; tabs and line ends within a field become spaces. */
export function tsv(columns: readonly string[], rows: Iterable<readonly unknown[]>): string {
  const plain = (value: unknown) =>
    (value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value)).replace(/[\t\r\n]+/g, " "); // prettier-ignore
  const lines = columns.length ? [columns.map(plain).join("\t")] : [];
  for (const row of rows) lines.push(row.map(plain).join("\t"));
  return lines.join("\n");
}
