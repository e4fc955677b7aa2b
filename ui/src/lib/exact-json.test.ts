import { expect, test } from "vitest";
import { exactText, parseExact } from "./exact-json";

test("a whole number keeps all its digits, there and back", () => {
  const text = '[{"rows":123456789012345678901234567890,"n":1.5,"s":"9007199254740993"}]';
  // Engines that do not tell what was written round it, as JSON.parse does.
  if ("rawJSON" in JSON) expect(exactText(parseExact(text))).toBe(text);
  expect(exactText(parseExact('{"a":[1,null,"x"]}'))).toBe('{"a":[1,null,"x"]}');
});
test("a large number that is not whole is a number as ever", () => {
  expect(parseExact("1e300")).toBe(1e300);
});
