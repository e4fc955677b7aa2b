import { describe, expect, test } from "vitest";
import { ALL, chipsOf, filterOf, isSame, searchOf, timeTold, viewOf } from "./view";
import type { View } from "./view";

const NOW = Date.parse("2026-11-23T18:30:30Z") / 1000;
const FULL: View = {
  text: "tern",
  flow: "training",
  state: ["FAILED", "CRASHED"],
  tag: ["nightly"],
  parameter: ["rows=500"],
  last: "24h",
  since: "",
  until: "",
  subflows: true,
};

/** A query as the router gives it. */
function search(query: string) {
  const told = new URLSearchParams(query);
  return { one: (name: string) => told.get(name) ?? "", all: (name: string) => told.getAll(name) };
}

function query(view: View): string {
  const told = new URLSearchParams();
  for (const [name, value] of Object.entries(searchOf(view)))
    for (const one of [value ?? []].flat()) told.append(name, one);
  return told.toString();
}

describe("the URL", () => {
  test("says a view, and gives it back", () => {
    expect(viewOf(search(query(FULL)))).toEqual(FULL);
    expect(viewOf(search(""))).toEqual(ALL);
  });

  test("has nothing of what is not asked for", () => {
    expect(query(ALL)).toBe("");
    expect(query({ ...ALL, state: ["FAILED"] })).toBe("state=FAILED");
  });

  test("may have states in small letters, and no time that there is not", () => {
    expect(viewOf(search("state=failed&last=2h"))).toEqual({ ...ALL, state: ["FAILED"] });
  });
});

describe("what the server is asked for", () => {
  test("is what the view says", () => {
    expect(filterOf({ ...FULL, last: "", since: "2026-11-23T00:00:00Z" }, NOW)).toEqual({
      text: "tern",
      flow: "training",
      state: ["FAILED", "CRASHED"],
      tag: ["nightly"],
      parameter: ["rows=500"],
      since: "2026-11-23T00:00:00Z",
      until: undefined,
      subflows: true,
    });
  });

  test("a time from now back stands still for a sixtieth of it, and is never shorter", () => {
    const [one, other] = [NOW, NOW + 20].map((now) => filterOf({ ...ALL, last: "1h" }, now).since);

    expect(one).toBe("2026-11-23T17:30:00Z");
    expect(other).toBe(one);
  });
});

test("the order of states and tags makes no difference", () => {
  expect(isSame({ ...ALL, state: ["A", "B"] }, { ...ALL, state: ["B", "A"] })).toBe(true);
  expect(isSame({ ...ALL, state: ["A"] }, { ...ALL, state: ["B"] })).toBe(false);
  expect(isSame(ALL, { ...ALL, subflows: true })).toBe(false);
});

describe("chips", () => {
  test("there is one for each thing that is asked for", () => {
    expect(chipsOf(FULL).map((chip) => `${chip.label} ${chip.value}`)).toEqual([
      "text tern",
      "flow training",
      "state Failed",
      "state Crashed",
      "tag nightly",
      "parameter rows=500",
      "time last 24 hours",
      "with subflow runs",
    ]);
    expect(chipsOf(ALL)).toEqual([]);
  });

  test("putting all of them away leaves all runs", () => {
    const left = chipsOf(FULL).reduce<View>(
      (view, chip) => ({ ...view, ...chipsOf(view).find((one) => one.key === chip.key)!.without }),
      FULL,
    );

    expect(left).toEqual(ALL);
  });
});

test.each([
  [{ last: "7d" }, "last 7 days"],
  [{}, ""],
  [{ since: "not a time" }, "since a time that is none"],
])("the time of %o is %j", (time, told) => {
  expect(timeTold({ ...ALL, ...time })).toBe(told);
});

test("of two times of one day, the day is told once", () => {
  const local = (text: string) => new Date(text).toISOString();
  const told = timeTold({ ...ALL, since: local("2026-11-23T10:00:00"), until: local("2026-11-23T11:30:00") });

  expect(told).toBe("2026-11-23 10:00 – 11:30");
});
