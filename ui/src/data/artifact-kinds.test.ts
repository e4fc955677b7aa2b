import { expect, test } from "vitest";
import {
  artifactName,
  artifactText,
  artifactsWith,
  isLeftOut,
  progressOf,
  versionsOf,
  withNews,
} from "./artifact-kinds";
import type { Artifact } from "./artifact-kinds";

const made = (id: string, change: Partial<Artifact> = {}): Artifact => ({
  id,
  key: "report",
  kind: "markdown",
  description: "",
  run: "r",
  task: null,
  created: "2026-11-23T10:00:00Z",
  updated: "2026-11-23T10:00:00Z",
  size_bytes: 3,
  data: "x",
  ...change,
});

test("artifacts of one key and kind are versions, the newest first; one without a key stands alone", () => {
  const versions = versionsOf([made("1"), made("2", { key: "" }), made("3"), made("4", { kind: "table" })]);
  expect(versions.map(({ all }) => all.map((one) => one.id))).toEqual([["3", "1"], ["2"], ["4"]]);
});
test("the newest word on an artifact counts, whichever comes first", () => {
  const old = made("1", { data: 10 });
  const fresh = made("1", { data: 20, updated: "2026-11-23T10:00:01Z" });
  expect(withNews([old], [fresh, made("0")]).map((one) => one.data)).toEqual(["x", 20]);
  expect(withNews([fresh], [old])[0]!.data).toBe(20);
});
test("data that is null is there, and data that was too much is left out", () => {
  expect(isLeftOut(made("1", { data: null, size_bytes: 4 }))).toBe(false);
  expect(isLeftOut(made("1", { data: null, size_bytes: 50_000 }))).toBe(true);
});
test("an artifact is found by words of its key, description and kind", () => {
  const versions = versionsOf([made("1", { description: "Loss by depth" }), made("2", { kind: "table" })]);
  expect(artifactsWith(versions, "REPORT depth").map((one) => one.newest.id)).toEqual(["1"]);
  expect(artifactsWith(versions, "table").map((one) => one.newest.id)).toEqual(["2"]);
});
test("it is called by its key, or else by what it is about", () => {
  expect(artifactName(made("1"))).toBe("report");
  expect(artifactName(made("1", { key: "", description: "About" }))).toBe("About");
  expect(artifactName(made("1", { key: "" }))).toBe("Text");
});
test("what is in it is told as lines", () => {
  expect(artifactText("table", { columns: ["a"], rows: [[1], [null]] })).toBe("a\r\n1\r\n\r\n");
  expect(artifactText("link", { link: "x" })).toBe('{\n  "link": "x"\n}');
  expect(artifactText("markdown", "# a")).toBe("# a");
});
test("a progress stays between 0 and 100", () => {
  expect([progressOf(140), progressOf(-1), progressOf("x"), progressOf(12.5)]).toEqual([100, 0, undefined, 12.5]);
});
