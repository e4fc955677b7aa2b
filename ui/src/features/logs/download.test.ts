// @vitest-environment happy-dom
// @vitest-environment-options {"url": "http://localhost/"}

import { describe, expect, it } from "vitest";
import { gather } from "./download";
import type { Line, Page } from "./lines";
import { NO_MARKS, countOf, withMarks } from "./marks";

function line(number: number, level = "INFO"): Line {
  return { number, at: 0, level, run: "", task: "", logger: "", text: `line ${number}` };
}

function page(lines: Line[], told: Partial<Page> = {}): Page {
  return { lines, after: lines.at(-1)?.number ?? 0, before: null, more: false, first: 1, last: 9, ...told };
}

describe("a download", () => {
  it("has every line once and in order, and says how far it is", async () => {
    const pages = [page([line(1), line(2)], { more: true }), page([], { after: 5, more: true }), page([line(9)])];
    const asked: (number | undefined)[] = [];
    const told: number[] = [];

    const blob = await gather(
      "run",
      {},
      (one) => `${one.text}\n`,
      ({ share }) => told.push(share),
      new AbortController().signal,
      async (_run, _filter, where) => {
        asked.push(where.after);
        return pages.shift()!;
      },
    );

    expect(await blob.text()).toBe("line 1\nline 2\nline 9\n");
    expect(asked).toEqual([0, 2, 5]);
    expect(told).toEqual([1 / 8, 1 / 2, 1]);
  });
});

describe("the marks of warnings and errors", () => {
  it("are counted by level, each line once", () => {
    let marks = withMarks(NO_MARKS, page([line(1, "WARNING"), line(4, "ERROR")]));
    marks = withMarks(marks, page([line(4, "ERROR"), line(7, "ERROR")]));

    expect(countOf(marks, ["ERROR", "CRITICAL"])).toEqual({ count: 2, more: false });
    expect(marks.after).toBe(7);
  });
});
