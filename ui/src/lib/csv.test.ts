import { expect, test } from "vitest";
import { csv, tsv } from "./csv";

test("a field with a comma, a quote, a line end or spaces around it stands in quotes", () => {
  expect(csv(["a,b", 'c"'], [["x\ny", " z"]])).toBe('"a,b","c"""\r\n"x\ny"," z"\r\n');
});
test("nothing and an empty text differ, and numbers and objects are as JSON has them", () => {
  expect(csv([], [[null, "", 1.5, true, { a: 1 }, 2n ** 64n]])).toBe(
    ',"",1.5,true,"{""a"":1}",18446744073709551616\r\n',
  );
});
test("tabs within fields do not part them when a table is pasted", () => {
  expect(tsv(["a"], [["x\ty"], [null]])).toBe("a\nx y\n");
});
