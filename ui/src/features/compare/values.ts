/** What differs between runs, as pure functions: values by their paths, and which rows say something. */

/** A value that is none: the run has nothing there. */
export const NOTHING = Symbol("nothing");
export type Value = string | typeof NOTHING;

/** One line: what it is about, and what each run has there; `null` for a run that is gone or not read yet. */
export interface Row {
  label: string;
  values: readonly (Value | null)[];
  differs: boolean;
}

/** Depth and number of values that are told one by one; what lies beyond is told as JSON. */
const DEEPEST = 8;
const MOST = 400;

/** Values by their paths: "model.layers[0].size". */
export function flattened(value: unknown): Map<string, string> {
  const found = new Map<string, string>();
  const put = (path: string, one: unknown, depth: number): void => {
    const within = one !== null && typeof one === "object" ? Object.entries(one) : [];
    if (!within.length || depth >= DEEPEST || found.size + within.length > MOST) {
      found.set(path, JSON.stringify(one) ?? "");
      return;
    }
    for (const [name, each] of within)
      put(Array.isArray(one) ? `${path}[${name}]` : joined(path, name), each, depth + 1);
  };
  if (value !== null && typeof value === "object" && !Array.isArray(value))
    for (const [name, one] of Object.entries(value)) put(joined("", name), one, 1);
  else if (value !== undefined) put("", value, 0);
  return found;
}

function joined(path: string, name: string): string {
  const plain = /^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(name) ? name : JSON.stringify(name);
  return path ? `${path}.${plain}` : plain;
}

/** Whether runs that are there have different values. */
export function differ(values: readonly (Value | null)[]): boolean {
  const there = values.filter((value) => value !== null);
  return there.some((value) => value !== there[0]);
}

export function row(label: string, values: readonly (Value | null | undefined)[]): Row {
  const told = values.map((value) => (value === undefined || value === "" ? NOTHING : value));
  return { label, values: told, differs: differ(told) };
}

/** One line for each path at which any run has a value; a whole value that others have in parts has its own line. */
export function rowsByPath(told: readonly (unknown | null)[]): Row[] {
  const flat = told.map((value) => (value === null ? null : flattened(value)));
  const paths = [...new Set(flat.flatMap((one) => [...(one?.keys() ?? [])]))];
  return paths.map((path) =>
    row(
      path || "value",
      flat.map((one) => one && (one.get(path) ?? NOTHING)),
    ),
  );
}

/** Those that differ first, otherwise in order; only those where one asks for that. */
export function inOrder<T extends { differs: boolean }>(rows: readonly T[], onlyDifferences: boolean): T[] {
  const different = rows.filter((one) => one.differs);
  return onlyDifferences ? different : [...different, ...rows.filter((one) => !one.differs)];
}

/** The runs that the URL names: each once, at most six. */
export const MOST_RUNS = 6;

export function runsOf(told: readonly string[]): string[] {
  return [...new Set(told.map((id) => id.trim()).filter(Boolean))].slice(0, MOST_RUNS);
}

type Named = { label: string } | { task: string } | { key: string; kind?: string };

function nameOf(one: Named): string {
  if ("label" in one) return one.label;
  return "task" in one ? one.task : `${one.kind ?? ""} ${one.key}`;
}

/** Lines as they were before where nothing in them changed, so that only those that did are drawn anew. */
export function kept<T extends Named>(now: readonly T[], before: readonly T[]): T[] {
  const known = new Map(before.map((one) => [nameOf(one), one]));
  return now.map((one) => {
    const old = known.get(nameOf(one));
    return old && isSame(old, one) ? old : one;
  });
}

function isSame(one: object, other: object): boolean {
  return Object.entries(one).every(([name, value]) => deepEnough(value, (other as Record<string, unknown>)[name]));
}

/** Lists by what is in them; all else by what it is. */
function deepEnough(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((each, n) => each === other[n]);
}
