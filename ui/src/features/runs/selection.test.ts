import { createRoot, createSignal } from "solid-js";
import { expect, test } from "vitest";
import { createSelection, idsBetween } from "./selection";

const rows = (text: string) => [...text].map((id) => ({ id }));

function over(text: string) {
  return createRoot((end) => {
    const [list, setList] = createSignal(rows(text));
    return { ...createSelection(list), setList, end };
  });
}

const ids = (selected: readonly { id: string }[]) => selected.map((row) => row.id).join("");

test("a range goes either way, and is one row where its beginning is gone", () => {
  const all = [..."abcdef"];

  expect(idsBetween(all, "b", "d").join("")).toBe("bcd");
  expect(idsBetween(all, "d", "b").join("")).toBe("bcd");
  expect(idsBetween(all, "z", "c")).toEqual(["c"]);
});

test("rows are selected one by one, and from the last one up to another", () => {
  const { toggle, extend, selected, end } = over("abcdef");

  toggle({ id: "b" });
  extend({ id: "d" });
  toggle({ id: "c" });

  expect(ids(selected())).toBe("bd");
  end();
});

test("what leaves the list is not selected, and what comes is not either", () => {
  const { all, setList, selected, clear, end } = over("abc");
  all();

  setList(rows("xbc"));
  expect(ids(selected())).toBe("bc");
  clear();

  expect(selected()).toEqual([]);
  end();
});
