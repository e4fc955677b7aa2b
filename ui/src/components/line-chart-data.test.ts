import { describe, expect, test } from "vitest";
import {
  TIME_STEPS,
  across,
  aligned,
  ascending,
  chartSentence,
  logTicks,
  nearest,
  numberTicks,
  summary,
  timeRoom,
  timeTicks,
} from "./line-chart-data";
import type { Point } from "./line-chart-data";
import { lineLook } from "./line-chart-looks";

describe("points", () => {
  test("of several at one place the last one counts", () => {
    const points: Point[] = [[1, 1], [2, 2], [1, 3]]; // prettier-ignore
    expect(ascending(points)).toEqual([[1, 3], [2, 2]]); // prettier-ignore
  });
  test("those in order are left as they are", () => {
    const points: Point[] = [[1, 1], [2, null]]; // prettier-ignore
    expect(ascending(points)).toBe(points);
  });
});

describe("series at the same places", () => {
  test("a place that a series lacks is passed over, and a gap stays a gap", () => {
    const told = aligned([[[1, 10], [3, 30]], [[1, 5], [2, null], [3, 7]]]); // prettier-ignore
    expect(told).toEqual([
      [1, 2, 3],
      [10, undefined, 30],
      [5, null, 7],
    ]);
  });
  test("nothing at or below 0 has a place on a logarithmic axis", () => {
    expect(aligned([[[1, 0], [2, -1], [3, 4]]], true)[1]).toEqual([undefined, undefined, 4]); // prettier-ignore
  });
  test("no series, and series without points, are drawn as nothing", () => {
    expect(aligned([])).toEqual([[]]);
    expect(aligned([[], []])).toEqual([[], [], []]);
  });
});

test("the nearest value is found to both sides, and none where there is none", () => {
  expect(nearest([1, undefined, undefined, 4], 2)).toBe(3);
  expect(nearest([1, null, undefined], 2)).toBe(0);
  expect(nearest([null, undefined], 1)).toBe(-1);
});

describe("ticks", () => {
  test("have as many digits as tell them apart", () => {
    expect(numberTicks([0, 0.25, 0.5])).toEqual(["0", "0.25", "0.5"]);
    expect(numberTicks([10, 20])).toEqual(["10", "20"]);
    expect(numberTicks([0.998, 0.999, 1])).toEqual(["0.998", "0.999", "1.000"]);
  });
  test("of great and small numbers are short", () => {
    expect(numberTicks([0, 2_000_000])).toEqual(["0", "2e6"]);
    expect(numberTicks([0.00001, 0.00002])).toEqual(["1e-5", "2e-5"]);
  });
  test("of seconds are durations", () => {
    expect(numberTicks([0, 60, 120], "s")).toEqual(["0 ms", "1m 00s", "2m 00s"]);
  });
  test("of time have the day where it begins", () => {
    const midnight = new Date(2026, 10, 23).getTime() / 1000;
    expect(timeTicks([midnight - 3600, midnight, midnight + 3600], 3600)).toEqual(["23:00", "11-23", "01:00"]);
    expect(timeTicks([midnight + 1], 1)).toEqual(["00:00:01"]);
  });
  test("between powers of ten nothing is written", () => {
    expect(logTicks([0.1, null, 10])).toEqual(["0.1", "", "10"]);
  });
});

describe("labels of an axis of time", () => {
  /** Pixels of a text in a font whose figures are wide. */
  const widthOf = (text: string) => text.length * 7;
  /** The ticks that are drawn, as uPlot finds them: at the first step that leaves the room which is asked for. */
  const drawn = (from: number, span: number, width: number) => {
    const room = timeRoom(span, width, widthOf);
    const step = TIME_STEPS.find((one) => (one / span) * width >= room)!;
    const first = Math.ceil(from / step);
    const ticks = Array.from({ length: Math.floor((from + span) / step) - first + 1 }, (_, n) => (first + n) * step);
    return { step, ticks, labels: timeTicks(ticks, step), apart: (step / span) * width };
  };

  test.each([0.02, 0.3, 1, 2, 3, 5, 8, 20, 45, 90, 400, 3_000, 50_000, 2e6])(
    "do not touch on a narrow screen, with %s s across",
    (span) => {
      for (const width of [240, 300, 330, 390, 900]) {
        const { labels, apart } = drawn(1_795_455_845.3, span, width);
        for (const label of labels) expect(widthOf(label) + 10).toBeLessThanOrEqual(apart);
      }
    },
  );
  test("say exactly when it is: no second is left out that is there", () => {
    for (const span of [100, 400, 700, 2_000, 6_000, 30_000]) {
      const { ticks, step, labels } = drawn(1_795_455_845.3, span, 330);
      expect(labels.length).toBeGreaterThan(0);
      if (step >= 60) for (const tick of ticks) expect(tick % 60).toBe(0);
      if (step >= 60) expect(step % 60).toBe(0);
    }
  });
});

test("a chart shows all places of its lines, and has room around the only one", () => {
  expect(across([2, 5, 9])).toEqual([2, 9]);
  expect(across([3])).toEqual([2.5, 3.5]);
  expect(across([])).toBeUndefined();
});

describe("what a line comes to", () => {
  test("leaves gaps out", () => {
    expect(summary([[1, 2], [2, null], [3, 1]])).toEqual({ count: 2, last: 1, smallest: 1, largest: 2 }); // prettier-ignore
    expect(summary([[1, null]]).last).toBeNull();
  });
  test("is said as a sentence", () => {
    const told = chartSentence("Loss", [{ label: "a", points: [[0, 1], [1, 0.5]] }, { label: "b", points: [] }]); // prettier-ignore
    expect(told).toBe("Loss. a: 2 values, 0.5 to 1, last 0.5; b: no values.");
  });
});

test("no two of the first 64 lines look alike", () => {
  const looks = Array.from({ length: 64 }, (_, n) => JSON.stringify(lineLook(n)));
  expect(new Set(looks).size).toBe(64);
});
