/** The parameters of a flow as rows of a table: what a JSON Schema says, in words. */

import { fieldsOf } from "~/components/schema-fields";
import type { FormField, Schema } from "~/components/schema-fields";

export interface ParameterRow {
  /** Where it is: "options", "options.depth", "points[].x". */
  path: string;
  name: string;
  /** How deep it lies; 0 for a parameter itself. */
  depth: number;
  /** What it takes, in words. */
  takes: string;
  required: boolean;
  /** As JSON; "" where there is none that JSON can tell. */
  default: string;
  description: string;
}

/** Values of a choice that are told by name. */
const MOST_CHOICES = 8;

export function rowsOf(schema: Schema): ParameterRow[] {
  return fieldsOf(schema).fields.flatMap((field) => rows(field, "", 0));
}

function rows(field: FormField, before: string, depth: number): ParameterRow[] {
  const path = before + field.name;
  const own: ParameterRow = {
    path,
    name: field.name,
    depth,
    takes: takes(field),
    required: field.required,
    default: field.default === undefined ? "" : JSON.stringify(field.default),
    description: field.description,
  };
  const inner = field.kind === "list" && field.item ? field.item.fields : field.fields;
  const within = field.kind === "list" ? `${path}[].` : `${path}.`;
  return [own, ...inner.flatMap((one) => rows(one, within, depth + 1))];
}

/** "a whole number from 1 to 10", "a list, each text, or nothing". */
export function takes(field: FormField): string {
  const told = kindTold(field);
  return field.nullable ? `${told}, or nothing` : told;
}

function kindTold(field: FormField): string {
  if (field.kind === "object") return "an object";
  if (field.kind === "choice") return choicesTold(field.choices);
  if (field.kind === "list" && field.item) return `${field.expects}, each ${takes(field.item)}`;
  return field.expects;
}

function choicesTold(choices: readonly unknown[]): string {
  const told = choices.slice(0, MOST_CHOICES).map((one) => JSON.stringify(one));
  const more = choices.length - told.length;
  return `${told.length > 1 || more ? "one of " : ""}${told.join(", ")}${more ? ` and ${more} more` : ""}`;
}
