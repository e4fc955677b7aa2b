/** What somebody fills in: drafts of values, and the values that they stand for or what is wrong with them. */

import type { FormField } from "./schema-fields";

/** "left": nothing is given, and what takes it does as it does then. */
export type Mode = "value" | "null" | "left";

export interface Draft {
  mode: Mode;
  text: string;
  checked: boolean;
  /** Which of the choices; -1 for none. */
  chosen: number;
  fields: Record<string, Draft>;
  items: Draft[];
  /** Whether a value was there from the beginning. */
  wasGiven: boolean;
  /** What was there and is none of these values, as far as it is known: a hint for whoever fills it in. */
  unfit: string;
}

/** What there is when there is nothing. */
export const ABSENT = Symbol("absent");

/** What is wrong, by the path of the field: "rows", "model.depth", "parts.2"; "" for the whole. */
export type Faults = Record<string, string>;

export type Outcome = { value: unknown; faults?: undefined } | { value?: undefined; faults: Faults };

// -- from values to drafts --

/** The draft to begin with: of a value that is there, or of none. */
export function draftOf(field: FormField, value: unknown = ABSENT): Draft {
  const draft: Draft = {
    mode: "value",
    text: "",
    checked: false,
    chosen: -1,
    fields: {},
    items: [],
    wasGiven: false,
    unfit: "",
  };
  if (field.kind === "object") draft.fields = fieldDrafts(field, isObject(value) ? value : {});
  if (value === ABSENT || value === undefined || field.kind === "secret") {
    draft.mode = field.required && field.kind !== "secret" ? "value" : "left";
    return draft;
  }
  if (value === null && field.nullable) return { ...draft, mode: "null" };
  if (!take(field, draft, value)) {
    draft.unfit = typeof value === "string" ? value : JSON.stringify(value);
    if (!field.required) draft.mode = "left";
  }
  return { ...draft, wasGiven: !draft.unfit };
}

function fieldDrafts(field: FormField, value: Record<string, unknown>): Record<string, Draft> {
  return Object.fromEntries(
    field.fields.map((one) => [one.name, draftOf(one, Object.hasOwn(value, one.name) ? value[one.name] : ABSENT)]),
  );
}

/** Text that stands for a value which JSON cannot hold, as the server tells such: it is not the value. */
const PATH = /^(?:Pure)?(?:Posix|Windows)?Path\('([^'\\]*)'\)$/;
const CUT = 200;

/** Write a value into a draft; whether it fits. */
function take(field: FormField, draft: Draft, value: unknown): boolean {
  switch (field.kind) {
    case "boolean":
      draft.checked = value === true;
      return typeof value === "boolean";
    case "choice":
      draft.chosen = field.choices.findIndex((one) => JSON.stringify(one) === JSON.stringify(value));
      return draft.chosen >= 0;
    case "integer":
    case "number":
      if (typeof value !== "number") return false;
      draft.text = String(value);
      return true;
    case "list":
      if (!Array.isArray(value)) return false;
      draft.items = value.map((one) => draftOf(field.item!, one));
      return draft.items.every((one) => !one.unfit);
    case "object":
      return isObject(value);
    case "json":
      draft.text = JSON.stringify(value, null, 2);
      return true;
    case "either":
    case "duration":
      if (
        !field.types.includes(
          typeof value === "number"
            ? Number.isInteger(value) && field.types.includes("integer")
              ? "integer"
              : "number"
            : typeof value,
        )
      )
        return false;
      draft.text = String(value);
      return true;
  }
  if (typeof value !== "string") return false;
  const path = PATH.exec(value);
  if (!path && value.length === CUT && value.endsWith("…")) return false;
  draft.text = path ? path[1]! : value;
  return true;
}

// -- from drafts to values --

/** The value that a draft stands for, or what is wrong with it. Fields that are left out are not in it. */
export function valueOf(field: FormField, draft: Draft): Outcome {
  const faults: Faults = {};
  const value = read(field, draft, "", faults);
  return Object.keys(faults).length ? { faults } : { value: value === ABSENT ? null : value };
}

function read(field: FormField, draft: Draft, path: string, faults: Faults): unknown {
  const wrong = (told: string): unknown => {
    faults[path] = told;
    return ABSENT;
  };
  if (draft.mode === "left") return field.required ? wrong(`Give ${field.expects || "it"}.`) : ABSENT;
  if (draft.mode === "null") return field.nullable ? null : wrong("It cannot be null.");
  const told = draft.text.trim();
  switch (field.kind) {
    case "secret":
      return ABSENT;
    case "boolean":
      return draft.checked;
    case "choice":
      return draft.chosen >= 0 ? field.choices[draft.chosen] : wrong("Choose one.");
    case "object":
      return readObject(field, draft, path, faults);
    case "list":
      return readList(field, draft, path, faults, wrong);
    case "json":
      return readJson(draft.text, wrong);
    case "text":
      // Empty text is rarely meant; who means it gives it as JSON.
      if (!draft.text && field.required && !draft.wasGiven) return wrong(`Give ${field.expects}.`);
      return textFault(field, draft.text) ? wrong(textFault(field, draft.text)) : draft.text;
  }
  if (!told) return wrong(`Give ${field.expects}.`);
  switch (field.kind) {
    case "integer":
    case "number":
      return numberFault(field, told) ? wrong(numberFault(field, told)) : Number(told);
    case "either":
      return readEither(field, told) ?? wrong(`Give ${field.expects}.`);
    case "duration":
      if (field.types.includes("number") && NUMBER.test(told)) return Number(told);
      return DURATION.test(told) && told !== "P" ? told : wrong(`Give ${field.expects}.`);
    case "date":
    case "date-time":
    case "time":
      return isTime(field.kind, told) ? told : wrong(`Give ${field.expects}.`);
  }
}

function readObject(field: FormField, draft: Draft, path: string, faults: Faults): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const one of field.fields) {
    const found = read(one, draft.fields[one.name]!, within(path, one.name), faults);
    if (found !== ABSENT) value[one.name] = found;
  }
  return value;
}

function readList(
  field: FormField,
  draft: Draft,
  path: string,
  faults: Faults,
  wrong: (told: string) => unknown,
): unknown {
  const { fewest = 0, most = Infinity } = field;
  if (draft.items.length < fewest || draft.items.length > most) return wrong(`Give ${field.expects}.`);
  return draft.items.map((one, index) => read(field.item!, one, within(path, String(index)), faults));
}

function readJson(told: string, wrong: (told: string) => unknown): unknown {
  if (!told.trim()) return wrong('Give a value as JSON, such as 5, "text" or [1, 2].');
  const parsed = parseJson(told);
  return "fault" in parsed ? wrong(parsed.fault) : parsed.value;
}

/** The value of a text in JSON, or a sentence that says what is wrong with it and where. */
export function parseJson(told: string): { value: unknown } | { fault: string } {
  try {
    return { value: JSON.parse(told) as unknown };
  } catch (error) {
    const message = error instanceof Error ? error.message : "";
    const line = /\(line (\d+)/.exec(message)?.[1];
    const where = line && told.includes("\n") ? `, in line ${line}` : "";
    // What stands behind that repeats the text, of which there may be much.
    const why = message.split(/ in JSON|, "|, \.\.\./)[0]!;
    return { fault: `This is no JSON${where}: ${why}.` };
  }
}

function readEither(field: FormField, told: string): unknown {
  const isNumber = NUMBER.test(told) && Number.isFinite(Number(told));
  if (isNumber && field.types.includes("number")) return Number(told);
  if (isNumber && field.types.includes("integer") && Number.isSafeInteger(Number(told))) return Number(told);
  if (field.types.includes("boolean") && (told === "true" || told === "false")) return told === "true";
  return field.types.includes("string") ? told : undefined;
}

/** Where a field within another lies. */
export function within(path: string, name: string): string {
  return path ? `${path}.${name}` : name;
}

// -- what is wrong --

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const DURATION = /^[-+]?P(?:\d+(?:\.\d+)?[YMWD])*(?:T(?:\d+(?:\.\d+)?[HMS])+)?$/i;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[-+]\d{2}:?\d{2})?$/i;

function numberFault(field: FormField, told: string): string {
  const value = Number(told);
  if (!NUMBER.test(told) || !Number.isFinite(value)) return `Give ${field.expects}, not ${cut(told)}.`;
  if (field.kind === "integer" && !Number.isInteger(value)) return `Give ${field.expects}, not ${cut(told)}.`;
  if (field.kind === "integer" && !Number.isSafeInteger(value)) {
    return "A browser cannot hold so large a number exactly; give it on the command line.";
  }
  const { minimum = -Infinity, maximum = Infinity, multipleOf } = field;
  const isOut =
    value < minimum || value > maximum || (field.above && value === minimum) || (field.below && value === maximum);
  if (isOut) return `Give ${field.expects}.`;
  const steps = multipleOf ? value / multipleOf : 0;
  return Math.abs(steps - Math.round(steps)) > 1e-9 ? `Give ${field.expects}.` : "";
}

function textFault(field: FormField, told: string): string {
  const length = [...told].length;
  if (length < (field.fewest ?? 0) || length > (field.most ?? Infinity)) return `Give ${field.expects}.`;
  if (!field.pattern) return "";
  try {
    return new RegExp(field.pattern, "u").test(told) ? "" : `It does not match the pattern ${field.pattern}`;
  } catch {
    return ""; // a pattern that only Python reads: the server judges it
  }
}

function isTime(kind: "date" | "date-time" | "time", told: string): boolean {
  if (kind === "time") return TIME.test(told);
  if (kind === "date") return DATE.test(told) && !Number.isNaN(Date.parse(told));
  const [date = "", time = ""] = told.split(/[T ]/);
  return DATE.test(date) && TIME.test(time) && !Number.isNaN(Date.parse(date));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function cut(told: string): string {
  return told.length > 40 ? `${told.slice(0, 39)}…` : told;
}
