import { describe, expect, it } from "vitest";
import { rowsOf } from "./schema-rows";

function told(property: Record<string, unknown>, more: Record<string, unknown> = {}) {
  return rowsOf({ type: "object", properties: { it: property }, ...more });
}

describe("a row of a parameter", () => {
  it("says what it takes, whether it has to be given and what it is otherwise", () => {
    const rows = rowsOf({
      type: "object",
      properties: {
        rows: { title: "rows", type: "integer", minimum: 1, default: 500, description: "How many." },
        source: { title: "source", type: "string" },
      },
      required: ["source"],
    });

    expect(rows).toEqual([
      {
        path: "rows",
        name: "rows",
        depth: 0,
        takes: "a whole number from 1",
        required: false,
        default: "500",
        description: "How many.",
      },
      { path: "source", name: "source", depth: 0, takes: "text", required: true, default: "", description: "" },
    ]);
  });

  it("tells that nothing may be given, and a default of nothing", () => {
    const [row] = told({ anyOf: [{ type: "array", items: { type: "integer" } }, { type: "null" }], default: null });

    expect(row!.takes).toBe("a list, each a whole number, or nothing");
    expect(row!.default).toBe("null");
  });

  it("names the values of a choice, and how many more there are", () => {
    expect(told({ enum: ["a", "b"] })[0]!.takes).toBe('one of "a", "b"');
    expect(told({ const: 1 })[0]!.takes).toBe("1");
    expect(told({ enum: Array.from({ length: 10 }, (_, n) => n) })[0]!.takes).toBe(
      "one of 0, 1, 2, 3, 4, 5, 6, 7 and 2 more",
    );
  });

  it("is followed by the fields of the object that it takes", () => {
    const rows = told(
      { $ref: "#/$defs/Options" },
      { $defs: { Options: { type: "object", properties: { depth: { type: "integer", default: 3 } }, required: [] } } },
    );

    expect(rows.map((row) => [row.path, row.depth, row.takes])).toEqual([
      ["it", 0, "an object"],
      ["it.depth", 1, "a whole number"],
    ]);
  });

  it("is followed by the fields of the objects in the list that it takes", () => {
    const rows = told({
      type: "array",
      items: { type: "object", properties: { x: { type: "number" } }, required: ["x"] },
    });

    expect(rows.map((row) => [row.path, row.takes, row.required])).toEqual([
      ["it", "a list, each an object", false],
      ["it[].x", "a number", true],
    ]);
  });

  it("takes any value where the schema says nothing", () => {
    expect(told({ title: "it" })[0]!.takes).toBe("any value, as JSON");
  });
});

it("has no rows for a flow without parameters", () => {
  expect(rowsOf({ type: "object", properties: {} })).toEqual([]);
});
