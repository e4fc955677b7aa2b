import { describe, expect, test } from "vitest";
import { fieldsOf } from "./schema-fields";
import type { FormField, Schema } from "./schema-fields";
import { draftOf, parseJson, valueOf } from "./schema-values";
import type { Draft } from "./schema-values";

const only = (schema: Schema): FormField => fieldsOf({ type: "object", properties: { it: schema } }).fields[0]!;
const wanted = (schema: Schema): FormField => ({ ...only(schema), required: true });
/** What a text typed into a field that has to be given comes to. */
const typed = (schema: Schema, text: string): unknown => {
  const field = wanted(schema);
  const outcome = valueOf(field, { ...draftOf(field), text, mode: "value" });
  return outcome.faults ? { fault: outcome.faults[""] } : outcome.value;
};
const back = (schema: Schema, value: unknown): unknown => valueOf(wanted(schema), draftOf(wanted(schema), value)).value;

describe("fields", () => {
  test("each property is a field, in the order of the schema, with what is told of it", () => {
    const form = fieldsOf({
      type: "object",
      properties: { rows: { type: "integer", default: 500, description: "How many." }, source: { type: "string" } },
      required: ["source"],
    });

    expect(
      form.fields.map(({ name, kind, required, default: preset, description }) => [
        name,
        kind,
        required,
        preset,
        description,
      ]),
    ).toEqual([
      ["rows", "integer", false, 500, "How many."],
      ["source", "text", true, undefined, ""],
    ]);
  });

  test.each([
    [{ type: "string" }, "text", "text"],
    [{ type: "string", minLength: 2, maxLength: 5 }, "text", "text of 2 to 5 characters"],
    [{ type: "string", format: "path" }, "text", "a path"],
    [{ type: "integer", minimum: 1, maximum: 10 }, "integer", "a whole number from 1 to 10"],
    [{ type: "number", exclusiveMinimum: 0 }, "number", "a number above 0"],
    [{ type: "boolean" }, "boolean", "true or false"],
    [{ enum: ["a", "b"] }, "choice", "one of these"],
    [{ const: 1 }, "choice", "one of these"],
    [{ type: "string", format: "date" }, "date", "a date, such as 2026-11-23"],
    [{ type: "array", items: { type: "integer" }, minItems: 1 }, "list", "a list of at least 1 item"],
    [{ type: "array", prefixItems: [{ type: "integer" }] }, "json", "a list, as JSON"],
    [{ type: "array" }, "json", "a list, as JSON"],
    [{ type: "object", additionalProperties: { type: "integer" } }, "json", "an object, as JSON"],
    [{ anyOf: [{ type: "integer" }, { type: "string" }] }, "either", "a whole number or text"],
    [
      { anyOf: [{ type: "number" }, { type: "string", format: "duration" }] },
      "duration",
      "seconds, or a duration such as PT1H30M",
    ],
    [{ anyOf: [{ type: "integer" }, { type: "array" }] }, "json", "a value, as JSON"],
    [{ type: "string", writeOnly: true }, "secret", "a secret"],
    [{}, "json", "any value, as JSON"],
  ])("%o is of the kind %s", (schema, kind, expects) => {
    expect([only(schema).kind, only(schema).expects]).toEqual([kind, expects]);
  });

  test("one of something and null can be null", () => {
    const field = only({ anyOf: [{ type: "integer", minimum: 3 }, { type: "null" }], default: null });

    expect([field.kind, field.nullable, field.default, field.minimum]).toEqual(["integer", true, null, 3]);
    expect(only({ type: ["string", "null"] })).toMatchObject({ kind: "text", nullable: true });
  });

  test("what is referred to is looked up, and one that refers to itself ends in JSON", () => {
    const form = fieldsOf({
      properties: { model: { $ref: "#/$defs/Model", description: "Which." }, again: { $ref: "#/$defs/Model" } },
      $defs: { Model: { type: "object", properties: { depth: { type: "integer" }, next: { $ref: "#/$defs/Model" } } } },
    });

    expect(form.fields[0]).toMatchObject({ kind: "object", description: "Which." });
    expect(form.fields[0]!.fields.map((one) => one.kind)).toEqual(["integer", "json"]);
    expect(form.fields[1]!.fields.length).toBe(2);
  });

  test("objects within objects within objects are given as JSON", () => {
    const deep = (levels: number): Schema =>
      levels ? { type: "object", properties: { a: deep(levels - 1) } } : { type: "integer" };
    let field = fieldsOf(deep(9));
    let levels = 0;
    while (field.kind === "object") [field, levels] = [field.fields[0]!, levels + 1];

    expect([field.kind, levels]).toEqual(["json", 3]);
  });

  test("what is no schema at all is given as JSON", () => {
    expect(
      fieldsOf({ properties: { a: true, b: { $ref: "#/$defs/none" }, c: { type: "new" } } }).fields.map(
        (one) => one.kind,
      ),
    ).toEqual(["json", "json", "json"]);
  });
});

describe("values", () => {
  test.each([
    [{ type: "integer" }, "12", 12],
    [{ type: "integer" }, " -3 ", -3],
    [{ type: "number" }, "1e-3", 0.001],
    [{ type: "string" }, " as it is ", " as it is "],
    [{ type: "string", format: "date" }, "2026-11-23", "2026-11-23"],
    [{ type: "string", format: "date-time" }, "2026-11-23T18:04:05+01:00", "2026-11-23T18:04:05+01:00"],
    [{ type: "string", format: "time" }, "18:04", "18:04"],
    [{ anyOf: [{ type: "number" }, { type: "string", format: "duration" }] }, "90", 90],
    [{ anyOf: [{ type: "number" }, { type: "string", format: "duration" }] }, "PT1M30S", "PT1M30S"],
    [{ anyOf: [{ type: "integer" }, { type: "string" }] }, "5", 5],
    [{ anyOf: [{ type: "integer" }, { type: "string" }] }, "five", "five"],
    [{ anyOf: [{ type: "boolean" }, { type: "string" }] }, "true", true],
    [{}, '{"a": [1]}', { a: [1] }],
  ])("%o takes %s", (schema, text, value) => {
    expect(typed(schema, text)).toEqual(value);
  });

  test.each([
    [{ type: "integer" }, "1.5", "Give a whole number, not 1.5."],
    [{ type: "integer" }, "abc", "Give a whole number, not abc."],
    [{ type: "integer" }, "", "Give a whole number."],
    [{ type: "integer" }, "0x10", "Give a whole number, not 0x10."],
    [
      { type: "integer" },
      "9007199254740993",
      "A browser cannot hold so large a number exactly; give it on the command line.",
    ],
    [{ type: "integer", minimum: 1, maximum: 10 }, "11", "Give a whole number from 1 to 10."],
    [{ type: "number", exclusiveMaximum: 1 }, "1", "Give a number below 1."],
    [{ type: "number", multipleOf: 0.1 }, "0.25", "Give a number, a multiple of 0.1."],
    [{ type: "number" }, "Infinity", "Give a number, not Infinity."],
    [{ type: "string" }, "", "Give text."],
    [{ type: "string", minLength: 1 }, "", "Give text of at least 1 character."],
    [{ type: "string", maxLength: 1 }, "ab", "Give text of at most 1 character."],
    [{ type: "string", pattern: "^a+$" }, "b", "It does not match the pattern ^a+$"],
    [{ type: "string", format: "date" }, "2026-13-40", "Give a date, such as 2026-11-23."],
    [{ type: "string", format: "date-time" }, "yesterday", "Give a time, such as 2026-11-23T18:04:05+01:00."],
    [{ type: "string", format: "duration" }, "P", "Give a duration, such as PT1H30M."],
    [{ anyOf: [{ type: "integer" }, { type: "boolean" }] }, "maybe", "Give a whole number or true or false."],
    [{}, "", 'Give a value as JSON, such as 5, "text" or [1, 2].'],
  ])("%o does not take %s", (schema, text, fault) => {
    expect(typed(schema, text)).toEqual({ fault });
  });

  test("a pattern that only Python reads is left to the server", () => {
    expect(typed({ type: "string", pattern: "(?P<a>x)" }, "y")).toBe("y");
  });

  test("what is left out is not in the value, unless it has to be given", () => {
    const form = fieldsOf({
      properties: { a: { type: "integer", default: 1 }, b: { type: "string" }, c: { type: "integer" } },
      required: ["c"],
    });
    const draft = draftOf(form, { b: "x" });

    expect(valueOf(form, draft).faults).toEqual({ c: "Give a whole number." });
    draft.fields.c!.text = "3";
    expect(valueOf(form, draft).value).toEqual({ b: "x", c: 3 });
  });

  test("null is given where it may be", () => {
    expect(back({ anyOf: [{ type: "integer" }, { type: "null" }] }, null)).toBeNull();
    const field = only({ type: "integer" });
    expect(valueOf(field, { ...draftOf(field), mode: "null" }).faults).toEqual({ "": "It cannot be null." });
  });

  test.each([
    [{ type: "array", items: { type: "integer" } }, [1, 2, 3]],
    [{ type: "array", items: { type: "object", properties: { a: { type: "string" } } } }, [{ a: "x" }, {}]],
    [
      { type: "object", properties: { a: { type: "object", properties: { b: { type: "boolean" } } } } },
      { a: { b: true } },
    ],
    [{ enum: [1, "x", null] }, "x"],
    [{ type: "boolean" }, false],
    [{ type: "string" }, ""],
    [{}, { any: ["thing", null] }],
  ])("%o gives back the value that it was given", (schema, value) => {
    expect(back(schema, value)).toEqual(value);
  });

  test("faults are told at the field that has them", () => {
    const form = fieldsOf({
      properties: {
        list: { type: "array", items: { type: "integer" } },
        model: { type: "object", properties: { depth: { type: "integer" } }, required: ["depth"] },
      },
    });
    const draft = draftOf(form, { list: [1, 2], model: {} });
    draft.fields.list!.items[1]!.text = "two";

    expect(valueOf(form, draft).faults).toEqual({
      "list.1": "Give a whole number, not two.",
      "model.depth": "Give a whole number.",
    });
  });

  test("a list has as many items as it has to have", () => {
    const schema = { type: "array", items: { type: "integer" }, minItems: 2 };

    expect(valueOf(wanted(schema), draftOf(wanted(schema), [1])).faults).toEqual({
      "": "Give a list of at least 2 items.",
    });
  });

  test("a choice that was not made has to be", () => {
    const field = wanted({ enum: ["a", "b"] });

    expect(valueOf(field, draftOf(field)).faults).toEqual({ "": "Choose one." });
  });

  test("a value that is not told as what it was is not taken for it", () => {
    const draft = (schema: Schema, value: unknown): Draft => draftOf(only(schema), value);

    expect(draft({ type: "integer" }, "<Thing object>")).toMatchObject({ mode: "left", unfit: "<Thing object>" });
    expect(draft({ type: "string" }, `${"x".repeat(199)}…`)).toMatchObject({ mode: "left" });
    expect(draft({ type: "array", items: { type: "integer" } }, "[1, 2, …")).toMatchObject({ mode: "left" });
  });

  test("a path that is told as Python writes it is the path", () => {
    expect(back({ type: "string", format: "path" }, "PosixPath('/data/in.csv')")).toBe("/data/in.csv");
  });

  test("a secret is never given", () => {
    const form = fieldsOf({ properties: { key: { type: "string", writeOnly: true } } });

    expect(valueOf(form, draftOf(form, { key: "********" })).value).toEqual({});
  });

  test("names that every object has are names like others", () => {
    const form = fieldsOf({ properties: { constructor: { type: "integer" }, toString: { type: "string" } } });

    expect(valueOf(form, draftOf(form, {})).value).toEqual({});
  });

  test("text that is no JSON is told with its line", () => {
    expect(parseJson('{"a": 1}')).toEqual({ value: { a: 1 } });
    expect(parseJson('{\n  "a": x\n}')).toEqual({ fault: "This is no JSON: Unexpected token 'x'." });
    expect(parseJson('{\n  "a": 1 2\n}')).toEqual({
      fault: expect.stringMatching(
        /^This is no JSON(, in line 2)?: Expected ',' or '}' after property value\.$/,
      ) as string,
    });
    expect(parseJson('"\n'.repeat(1))).toHaveProperty("fault");
  });
});
