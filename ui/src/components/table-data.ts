/** Tables of any shape as columns and rows: sorted, filtered, and as wide as what is in them. */

import { exactText } from "~/lib/exact-json";

export interface TableData {
  columns: readonly string[];
  rows: readonly (readonly unknown[])[];
}

/** What was told as a table: columns and rows, rows as objects, or columns as lists. `undefined` where it is none. */
export function tableOf(told: unknown): TableData | undefined {
  if (Array.isArray(told)) return fromRows(told);
  if (!told || typeof told !== "object") return undefined;
  if ("rows" in told && "columns" in told && Array.isArray(told.rows) && Array.isArray(told.columns)) {
    const rows = told.rows.map((row: unknown) => (Array.isArray(row) ? row : [row]));
    return { columns: named(told.columns.map(String), rows), rows };
  }
  const lists = Object.entries(told);
  if (!lists.length || !lists.every(([, list]) => Array.isArray(list))) return undefined;
  const length = Math.max(...lists.map(([, list]) => (list as unknown[]).length));
  return {
    columns: lists.map(([name]) => name),
    rows: Array.from({ length }, (_, n) => lists.map(([, list]) => (list as unknown[])[n] ?? null)),
  };
}

function fromRows(told: readonly unknown[]): TableData | undefined {
  if (told.every((row) => Array.isArray(row))) return { columns: named([], told), rows: told };
  if (!told.every((row) => row && typeof row === "object" && !Array.isArray(row))) return undefined;
  const objects = told as Record<string, unknown>[];
  const columns = [...new Set(objects.flatMap((row) => Object.keys(row)))];
  return { columns, rows: objects.map((row) => columns.map((column) => row[column] ?? null)) };
}

/** Names of columns; where there are none, their numbers. */
function named(columns: readonly string[], rows: readonly unknown[][]): readonly string[] {
  const wide = rows.reduce((most, row) => Math.max(most, row.length), columns.length);
  return Array.from({ length: wide }, (_, n) => columns[n] ?? String(n + 1));
}

/** What stands in a cell; "" where nothing was told, which is also what NaN was recorded as. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? exactText(value) : String(value);
}

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function isNumber(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** Numbers before texts; what is empty stands at the end, whichever way one sorts. */
export function sortedRows(
  rows: readonly number[],
  cell: (row: number) => unknown,
  descending: boolean,
): readonly number[] {
  const turn = descending ? -1 : 1;
  const isEmpty = (value: unknown) => value === null || value === undefined || value === "";
  return rows.toSorted((a, b) => {
    const [one, other] = [cell(a), cell(b)];
    if (isEmpty(one) || isEmpty(other)) return Number(isEmpty(one)) - Number(isEmpty(other));
    if (isNumber(one) && isNumber(other)) return one < other ? -turn : one > other ? turn : 0;
    if (isNumber(one) !== isNumber(other)) return isNumber(one) ? -turn : turn;
    return turn * collator.compare(cellText(one), cellText(other));
  });
}

/** Numbers of the rows in which all words of the filter occur, in any cell and case. */
export function rowsWith(table: TableData, filter: string): readonly number[] {
  const all = table.rows.map((_, n) => n);
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return all;
  return all.filter((n) => {
    const text = table.rows[n]!.map(cellText).join("\n").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Rows that are looked at for how wide a column is, and whether it has numbers. */
const SAMPLE = 200;
const LEAST = 64;
const MOST = 320;
const CHARACTER = 7.4;

export interface ColumnLook {
  /** As a grid has it. */
  width: string;
  isNumeric: boolean;
}

export function looksOf(table: TableData): ColumnLook[] {
  const rows = table.rows.slice(0, SAMPLE);
  return table.columns.map((name, n) => {
    const cells = rows.map((row) => row[n]);
    const longest = Math.max(name.length + 3, ...cells.map((cell) => Math.min(80, cellText(cell).length)));
    const width = Math.round(Math.min(MOST, Math.max(LEAST, longest * CHARACTER + 8)));
    const told = cells.filter((cell) => cell !== null && cell !== undefined);
    return { width: `minmax(${width}px, ${width}fr)`, isNumeric: told.length > 0 && told.every(isNumber) };
  });
}
