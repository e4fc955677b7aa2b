// What becomes of hostile text is tried in a real browser, in tests/ui/test_artifacts.py: no other DOM parses as one does.
import { expect, test } from "vitest";
import { headingLevels, pictureOf, plainTags, webAddress } from "./markdown-rules";

test("headings go on from the page's and leave none out", () => {
  expect(headingLevels([1, 2, 4, 1], 3)).toEqual([3, 4, 5, 3]);
  expect(headingLevels([4, 1, 6], 3)).toEqual([3, 3, 4]);
  expect(headingLevels([], 3)).toEqual([]);
});

test.each([
  ["https://a.example", "https://a.example/"],
  [" HTTP://a.example/b ", "http://a.example/b"],
  ["mailto:a@b.example", "mailto:a@b.example"],
  ["//a.example", ""],
  ["/runs", ""],
  ["#x", ""],
  ["javascript:alert(1)", ""],
  ["java\nscript:alert(1)", ""],
  ["data:text/html,x", ""],
  ["https://", ""],
])("the address %j leads to %j", (told, address) => {
  expect(webAddress(told)).toBe(address);
});

test("only pictures whose bytes are told are shown", () => {
  expect(pictureOf("data:image/png;base64,AA")).not.toBe("");
  expect(pictureOf("data:text/html,<b>")).toBe("");
  expect(pictureOf("https://a.example/x.png")).toBe("");
});

test.each([
  ["<p style='x' onclick=\"a > b\" align=left>t</p>", '<p align="left">t</p>'],
  ["<P ONCLICK=x>t</P>", "<P>t</P>"],
  ["<script src=x>a</script>", "&lt;script src=x>a&lt;/script>"],
  ["<p style='unclosed", "&lt;p style='unclosed"],
  ["<img src='a>b' onerror=x>", "<img src='a>b'>"],
  ["a < b <br/>", "a < b <br>"],
  ["<details open><svg/onload=x>", "<details open>&lt;svg/onload=x>"],
])("the markup %j becomes %j", (told, plain) => {
  expect(plainTags(told, ["p", "br", "img", "details"], ["align", "src", "open"])).toBe(plain);
});
