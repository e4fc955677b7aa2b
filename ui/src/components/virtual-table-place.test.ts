// @vitest-environment happy-dom
import { createRoot, createSignal } from "solid-js";
import { afterEach, expect, test } from "vitest";
import { createPlace } from "./virtual-table-place";
import type { TableProps } from "./virtual-table-props";

let end = () => {};
afterEach(() => end());

const rowsTo = (n: number) => Array.from({ length: n }, (_, at) => String(n - at));

/** A table of rows of 50 pixels, newest first, of which ten are seen. */
function table(told: Partial<TableProps<string>> = {}) {
  const scroller = document.createElement("div");
  let top = 0;
  Object.defineProperty(scroller, "scrollTop", { get: () => top, set: (to: number) => (top = to) });
  return createRoot((dispose) => {
    end = dispose;
    const [rows, setRows] = createSignal<readonly string[]>(rowsTo(1_000));
    const [height, setHeight] = createSignal(50);
    const [size, setSize] = createSignal({ width: 400, height: 500 }, { equals: false });
    const props = {
      rowKey: (row: string) => row,
      newRows: (count: number) => String(count),
      ...told,
      get rows() {
        return rows();
      },
    } as TableProps<string>;
    const box = {
      scroller: () => scroller,
      size,
      setSize: () => setSize({ width: 400, height: 500 }),
      height,
    };
    const place = createPlace(props, box, () => false);
    const first = () => rows()[Math.floor(place.top() / height())];
    return { place, first, setRows, setHeight, scrolled: () => top };
  });
}

test("the rows that are seen exist, and some beside them", () => {
  const { place } = table();

  place.scrollTo(5_000);

  expect([...place.seen()].at(0)).toEqual(["908", 92]);
  expect(place.seen().size).toBe(26);
});

test("what one reads stays where it is while rows come above it, and these are counted", () => {
  const { place, first, setRows, scrolled } = table({ anchored: true });
  place.scrollTo(5_000);

  setRows(rowsTo(1_003));

  expect(first()).toBe("900");
  expect(scrolled()).toBe(5_150);
  expect(place.fresh()).toBe(3);
});

test("at its top a table shows what comes", () => {
  const { first, setRows, place } = table({ anchored: true });

  setRows(rowsTo(1_003));

  expect(first()).toBe("1003");
  expect(place.fresh()).toBe(0);
});

test("the row at the top stays there when rows become taller, and lower again", () => {
  const { place, first, setHeight, scrolled } = table();
  place.scrollTo(5_025);

  setHeight(80);

  expect(first()).toBe("900");
  expect(scrolled()).toBe(8_040);
  setHeight(50);
  expect(scrolled()).toBe(5_025);
});

test("rows that come while they become taller move it by their new height", () => {
  const { place, first, setRows, setHeight } = table({ anchored: true });
  place.scrollTo(5_000);

  setRows(rowsTo(1_002));
  setHeight(80);

  expect(first()).toBe("900");
});
