/** From a JSON Schema to the fields of a form. What a form could not say well becomes a field for JSON. */

export type Schema = Record<string, unknown>;

export type Kind =
  | "text"
  | "integer"
  | "number"
  | "boolean"
  | "choice"
  | "date"
  | "date-time"
  | "time"
  | "duration"
  /** One of several plain kinds, told apart by how it is written. */
  | "either"
  | "list"
  | "object"
  | "json"
  /** What nobody may give here, since it would be kept. */
  | "secret";

export interface FormField {
  name: string;
  kind: Kind;
  /** Whether it has to be given. */
  required: boolean;
  nullable: boolean;
  /** `undefined` where there is none. */
  default: unknown;
  description: string;
  /** What to give, in words: "a whole number from 1 to 10". */
  expects: string;
  /** Of a choice: the values, and of an "either" the types of which it is one. */
  choices: readonly unknown[];
  types: readonly string[];
  /** Of an object, and of a list. */
  fields: readonly FormField[];
  item?: FormField;
  minimum?: number;
  maximum?: number;
  /** Whether the bounds themselves are too small and too large. */
  above: boolean;
  below: boolean;
  multipleOf?: number;
  fewest?: number;
  most?: number;
  pattern?: string;
}

/** What a schema says of the kind of a field. */
type Told = Partial<FormField> & Pick<FormField, "kind" | "expects">;

/** Objects within objects that still are a form. */
const DEEPEST = 3;
const PLAIN = ["string", "integer", "number", "boolean"];

/** The fields of a form for an object: one for each property; one without a name for any other schema. */
export function fieldsOf(schema: Schema): FormField {
  return new Reader(isSchema(schema.$defs) ? schema.$defs : {}).field("", schema, true, 0);
}

class Reader {
  constructor(private readonly definitions: Schema) {}

  field(name: string, told: unknown, required: boolean, depth: number, seen: readonly string[] = []): FormField {
    const given = isSchema(told) ? told : {};
    const [schema, names] = this.resolved(given, seen);
    const members = alternatives(schema);
    const others = members.filter((one) => one.type !== "null");
    const nullable = others.length < members.length;
    const only = members.length === 0 ? schema : others.length === 1 ? others[0]! : undefined;
    const about = {
      name,
      required,
      nullable,
      default: "default" in given ? given.default : schema.default,
      description: text(given.description) || text(schema.description),
      choices: [],
      types: [],
      fields: [],
      above: false,
      below: false,
    };
    if (only === undefined) return { ...about, ...either(others) };
    const [inner, within] = only === schema ? [schema, names] : this.resolved(only, names);
    return {
      ...about,
      nullable: nullable || inner.type === "null",
      ...this.kind(inner, depth, within),
      description: about.description || text(inner.description),
    };
  }

  /** A schema with what it refers to, and the names that led there; one that refers to itself is anything. */
  private resolved(schema: Schema, seen: readonly string[]): [Schema, readonly string[]] {
    if (Array.isArray(schema.allOf) && schema.allOf.length === 1 && isSchema(schema.allOf[0])) {
      const { allOf, ...rest } = schema;
      return this.resolved({ ...(allOf as Schema[])[0], ...rest }, seen);
    }
    if (typeof schema.$ref !== "string") return [schema, seen];
    const name = schema.$ref.split("/").at(-1)!;
    const found = this.definitions[name];
    if (seen.includes(name) || !isSchema(found)) return [{}, seen];
    return this.resolved(found, [...seen, name]);
  }

  private kind(schema: Schema, depth: number, seen: readonly string[]): Told {
    if (schema.writeOnly === true) return { kind: "secret", expects: "a secret" };
    const choices = "const" in schema ? [schema.const] : schema.enum;
    if (Array.isArray(choices) && choices.length > 0) return choice(choices);
    if (schema.type === "object" || "properties" in schema) return this.object(schema, depth, seen);
    if (schema.type === "array") return this.list(schema, depth, seen);
    switch (schema.type) {
      case "integer":
      case "number":
        return numeric(schema.type, schema);
      case "boolean":
        return { kind: "boolean", expects: "true or false" };
      case "string":
        return written(schema);
      case "null":
        return choice([null]);
    }
    return { kind: "json", expects: "any value, as JSON" };
  }

  private object(schema: Schema, depth: number, seen: readonly string[]): Told {
    if (!isSchema(schema.properties) || depth >= DEEPEST) return { kind: "json", expects: "an object, as JSON" };
    const required = Array.isArray(schema.required) ? schema.required : [];
    const fields = Object.entries(schema.properties).map(([name, one]) =>
      this.field(name, one, required.includes(name), depth + 1, seen),
    );
    return { kind: "object", expects: "", fields };
  }

  private list(schema: Schema, depth: number, seen: readonly string[]): Told {
    const bounds = { fewest: number(schema.minItems), most: number(schema.maxItems) };
    const item = this.field("", schema.items, true, depth + 1, seen);
    const plain = isSchema(schema.items) && !("prefixItems" in schema) && item.kind !== "json" && item.kind !== "list";
    if (!plain || depth >= DEEPEST) return { kind: "json", expects: "a list, as JSON", ...bounds };
    return { kind: "list", expects: lengthTold("a list", "item", bounds), item, ...bounds };
  }
}

// -- kinds --

function alternatives(schema: Schema): Schema[] {
  const told = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(told))
    return told.filter(isSchema).flatMap((one) => (alternatives(one).length ? alternatives(one) : [one]));
  if (Array.isArray(schema.type)) return schema.type.map((type: unknown) => ({ ...schema, type }));
  return [];
}

function either(members: readonly Schema[]): Told {
  const types = members.map((one) => text(one.type));
  const isPlain = members.every((one) => PLAIN.includes(text(one.type)) && !("enum" in one) && !("const" in one));
  if (!isPlain || members.length === 0) return { kind: "json", expects: "a value, as JSON" };
  if (members.some((one) => one.format === "duration")) {
    return { kind: "duration", expects: "seconds, or a duration such as PT1H30M", types };
  }
  return { kind: "either", expects: types.map((type) => TYPES[type]).join(" or "), types };
}

const TYPES: Record<string, string> = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
};

function choice(choices: readonly unknown[]): Told {
  return { kind: "choice", expects: "one of these", choices };
}

function numeric(type: "integer" | "number", schema: Schema): Told {
  const minimum = number(schema.minimum) ?? number(schema.exclusiveMinimum);
  const maximum = number(schema.maximum) ?? number(schema.exclusiveMaximum);
  const above = minimum !== undefined && number(schema.minimum) === undefined;
  const below = maximum !== undefined && number(schema.maximum) === undefined;
  const multipleOf = number(schema.multipleOf);
  const from = minimum === undefined ? "" : above ? ` above ${minimum}` : ` from ${minimum}`;
  const to =
    maximum === undefined
      ? ""
      : below
        ? ` below ${maximum}`
        : minimum === undefined
          ? ` up to ${maximum}`
          : ` to ${maximum}`;
  const steps = multipleOf === undefined ? "" : `, a multiple of ${multipleOf}`;
  return {
    kind: type,
    expects: `${TYPES[type]}${from}${to}${steps}`,
    minimum,
    maximum,
    above,
    below,
    multipleOf,
  };
}

const FORMATS: Record<string, [Kind, string]> = {
  date: ["date", "a date, such as 2026-11-23"],
  "date-time": ["date-time", "a time, such as 2026-11-23T18:04:05+01:00"],
  time: ["time", "a time of day, such as 18:04:05"],
  duration: ["duration", "a duration, such as PT1H30M"],
};

function written(schema: Schema): Told {
  const format = FORMATS[text(schema.format)];
  if (format) return { kind: format[0], expects: format[1], types: ["string"] };
  const bounds = { fewest: number(schema.minLength), most: number(schema.maxLength) };
  const what =
    { path: "a path", uuid: "a UUID", uri: "a URL", email: "an e-mail address" }[text(schema.format)] ?? "text";
  return {
    kind: "text",
    expects: lengthTold(what, "character", bounds),
    ...bounds,
    pattern: text(schema.pattern) || undefined,
  };
}

function lengthTold(what: string, unit: string, bounds: { fewest?: number; most?: number }): string {
  const units = (n: number) => `${n} ${unit}${n === 1 ? "" : "s"}`;
  if (bounds.fewest && bounds.most !== undefined) return `${what} of ${bounds.fewest} to ${units(bounds.most)}`;
  if (bounds.fewest) return `${what} of at least ${units(bounds.fewest)}`;
  return bounds.most === undefined ? what : `${what} of at most ${units(bounds.most)}`;
}

export function isSchema(told: unknown): told is Schema {
  return typeof told === "object" && told !== null && !Array.isArray(told);
}

function text(told: unknown): string {
  return typeof told === "string" ? told : "";
}

function number(told: unknown): number | undefined {
  return typeof told === "number" ? told : undefined;
}
