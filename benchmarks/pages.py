"""`python -m benchmarks.pages`: how fast the web UI is in headless Chromium, and whether it stays so.

A server runs as users start it, on a store that another process writes to. What is printed is the median unless a row
says otherwise; a frame of 33.3 ms is 30 of them a second. Nothing is asserted: a busy machine fails nobody's build.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from playwright.sync_api import Page

from benchmarks import machine, report
from benchmarks.figures import Figure
from benchmarks.large_run import MARK, Order
from benchmarks.measuring import Outcome
from benchmarks.page_scenes import Extent, Place, Sample, Scene, Teller, at_server, large_run
from benchmarks.processes import ROOT
from benchmarks.seeding import Seeded
from benchmarks.serving import seeded, sqlite_home
from nadi.model.ids import uuid7

RESULTS = ROOT / "benchmarks" / "pages.json"

#: Milliseconds: until a part of a run can be used and until a first paint, of a frame, from a commit to what is seen.
OPEN, FRAME, ARRIVAL = 1000.0, 1000 / 30, 300.0
#: Megabytes, and nodes of the document, by which a page that is left open may grow.
GROWTH_MB, GROWTH_NODES = 5.0, 500.0

PARTS = ("timeline", "graph", "tasks", "logs")
TABS = (*PARTS, "artifacts", "metrics", "attempts", "why")

#: What is moved how: the part as it is asked for, where the pointer stands, keys that are pressed before, and pixels of
#: each turn.
MOTIONS = {
    "timeline, its rows": ("timeline", "[role=application]", "", (0, 90)),
    "timeline, along time": ("timeline?by=lanes", "[role=application]", "+++", (60, 0)),
    "graph, from afar": ("graph", "[aria-roledescription=graph]", "+", (40, 25)),
    "graph, at 100 %": ("graph", "[aria-roledescription=graph]", "0", (40, 25)),
    "tasks": ("tasks", "[role=row][data-row]", "", (0, 120)),
    "logs": ("logs", "[role=log]", "", (0, -120)),
}
#: Turns of the wheel until it goes the other way, and milliseconds between two of them.
THERE_AND_BACK, TURN = 40, 10
#: Milliseconds until a picture that was zoomed stands still.
SETTLED = 500


QUICK = Extent(task_runs=400, lines=2_000, times=1, moving=0.3, marks=2, minutes=0.03, every=0.6, stored=1_000)


# -- what is measured --


def opening(scene: Scene) -> list[Figure]:
    """From the click on a tab, and from a cold start of the browser, until a part of the run can be used."""
    clicked: dict[str, list[float]] = {part: [] for part in PARTS}
    cold: dict[str, list[float]] = {part: [] for part in PARTS}
    wanted = scene.teller.made.task_runs
    with scene.place.tab() as page:
        # In the first turn, which does not count, code is loaded.
        for turn in range(scene.extent.times + 1):
            for part in PARTS:
                scene.place.go(page, f"{scene.run}/why")
                page.evaluate("probes.read()")
                took = page.evaluate("([part, wanted]) => probes.click(part, wanted)", [part, wanted])
                clicked[part] += [took] if turn else []
    for part in PARTS * scene.extent.times:
        with scene.place.tab() as page:
            scene.place.go(page, f"{scene.run}/{part}")
            cold[part].append(page.evaluate("([part, wanted]) => probes.opened(part, wanted)", [part, wanted]))
    return [
        figure
        for how, found in (("from the click", clicked), ("cold", cold))
        for part in PARTS
        for figure in _median_and_worst(f"{part}, {how}", found[part])
    ]


def moving(scene: Scene) -> list[Figure]:
    """How long frames take while one scrolls and pans, and many changes come."""
    figures = []
    with scene.place.tab() as page, scene.teller.changing(scene.extent.pace, grows=True) as told:
        page.goto("about:blank")
        empty, _, _ = frame_times(_moved(page, (0, 90), scene.extent.moving))
        for what, (path, where, keys, by) in MOTIONS.items():
            part, wanted = path.partition("?")[0], scene.teller.made.task_runs
            scene.place.go(page, f"{scene.run}/{path}")
            page.evaluate("([part, wanted]) => probes.opened(part, wanted)", [part, wanted])
            box = page.locator(where).first.bounding_box()
            assert box is not None
            page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            for key in keys:
                page.keyboard.press(key)
            page.wait_for_timeout(SETTLED)
            mean, slowest, longest = frame_times(_moved(page, by, scene.extent.moving))
            figures += [
                _frame(what, mean, empty, most=longest),
                _frame(f"{what}: its slowest second", slowest, empty),
            ]
    return [*figures, *told]


def arriving(scene: Scene) -> list[Figure]:
    """From a commit to the store until what it says is to be seen."""
    made, count = scene.teller.made, scene.extent.marks
    ids = [uuid7(time.time(), n) for n in range(count)]
    kinds: dict[str, tuple[str, list[tuple[Order, str, str]]]] = {
        "a log line": (
            f"{scene.run}/logs",
            [(Order(line=f"{MARK} {n};"), "[role=log]", f"{MARK} {n};") for n in range(count)],
        ),
        "the end of a task run": (
            f"{scene.run}/tasks?text={MARK}",
            [(Order(task=task), f'[data-row="{task}"]', "Completed") for task in made.watched[:count]],
        ),
        "a new run in the list": (
            "/runs",
            [(Order(run=id), f'[data-row="{id}"]', f"{MARK}-run") for id in ids],
        ),
    }
    figures = []
    for what, (path, orders) in kinds.items():
        # So high that all rows are seen.
        with scene.place.tab(height=2_400) as page:
            scene.place.go(page, path)
            page.evaluate("probes.read()")
            page.wait_for_timeout(SETTLED)
            figures += _median_and_p95(what, _arrivals(scene.teller, page, orders))
    return figures


def _arrivals(teller: Teller, page: Page, orders: Sequence[tuple[Order, str, str]]) -> Iterator[float]:
    pauses = random.Random(1)
    for order, where, text in orders:
        page.evaluate("([where, text]) => probes.watch(where, text)", [where, text])
        done = teller.order(order)
        yield page.evaluate("probes.seen()") - done.at * 1e3
        # Not in step with what looks at the store now and then.
        page.wait_for_timeout(pauses.uniform(50, 250))


def lasting(scene: Scene) -> tuple[list[Figure], list[Sample]]:
    """What a page holds while many changes come and somebody goes from part to part."""
    samples: list[Sample] = []
    extent = scene.extent
    with scene.place.tab() as page, scene.teller.changing(extent.pace, grows=False) as told:
        scene.place.go(page, f"{scene.run}/{PARTS[-1]}")
        page.evaluate("probes.read()")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        begin = None
        # What is loaded once is loaded in the first round.
        for _ in range(round(extent.minutes * 60 / extent.every) + 1):
            for part in PARTS:
                page.evaluate("([part, wanted]) => probes.click(part, wanted)", [part, scene.teller.made.task_runs])
                page.wait_for_timeout(extent.every / len(PARTS) * 1e3)
            session.send("HeapProfiler.collectGarbage")
            found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
            begin = begin or time.monotonic()
            seconds = time.monotonic() - begin
            samples.append(Sample(seconds, int(found["JSHeapUsedSize"]), int(found["Nodes"])))
    return [*growth(samples), *told], samples


def painting(place: Place, what: Seeded, extent: Extent) -> list[Figure]:
    """From a cold start of the browser to the first paint of each page, and until it has read what it shows."""
    figures = []
    for name, path in places(what).items():
        painted, read = [], []
        for _ in range(extent.times):
            with place.tab(is_known=name != "/login") as page:
                place.go(page, path)
                painted.append(page.evaluate("probes.painted()"))
                read.append(page.evaluate("probes.read()"))
        figures += [
            _figure(f"{name}: first paint", statistics.median(painted), OPEN),
            _figure(f"{name}: all is read", statistics.median(read)),
        ]
    return figures


def places(what: Seeded) -> dict[str, str]:
    """Return every page: name and path."""
    named = ("/", "/runs", "/flows", "/users", "/keys", "/audit", "/storage", "/settings", "/login")
    return {
        **{path: path for path in named},
        "/flows/FLOW": "/flows/etl-users",
        "/compare": f"/compare?run={what.typical}&run={what.middle}",
        **{f"/runs/RUN/{tab}": f"/runs/{what.typical}/{tab}" for tab in TABS},
    }


# -- figures --


def _figure(what: str, value: float, budget: float | None = None) -> Figure:
    return Figure(what=what, value=value, unit="ms", budget=budget)


def _median_and_worst(what: str, values: Sequence[float]) -> list[Figure]:
    return [
        _figure(what, statistics.median(values), OPEN),
        _figure(f"{what}, worst of {len(values)}", max(values), OPEN),
    ]


def _median_and_p95(what: str, values: Iterator[float]) -> list[Figure]:
    found = sorted(values)
    p95 = found[max(0, round(len(found) * 0.95) - 1)]
    return [_figure(what, statistics.median(found), ARRIVAL), _figure(f"{what}, 95th percentile", p95, ARRIVAL)]


def _frame(what: str, value: float, empty: float, *, most: float | None = None) -> Figure:
    return Figure(
        what=what,
        value=value,
        unit="ms",
        yardstick="a frame of an empty page, meanwhile",
        beside=empty,
        ratio=value / empty,
        budget=FRAME,
        most=most,
    )


def _moved(page: Page, by: tuple[int, int], seconds: float) -> list[float]:
    """Turn the wheel for some seconds, there and back; returns the times of all frames."""
    page.evaluate("probes.countFrames()")
    end, turns = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        way = 1 if turns // THERE_AND_BACK % 2 == 0 else -1
        page.mouse.wheel(way * by[0], way * by[1])
        page.wait_for_timeout(TURN)
        turns += 1
    frames: list[float] = page.evaluate("probes.frames()")
    return frames


def frame_times(times: Sequence[float]) -> tuple[float, float, float]:
    """Return the milliseconds of a frame: their mean, that of the second with the fewest, and the longest one."""
    gaps = [after - before for before, after in itertools.pairwise(times)]
    seconds = [0] * max(1, int((times[-1] - times[0]) // 1000))
    for at in times[:-1]:
        second = int((at - times[0]) // 1000)
        if second < len(seconds):
            seconds[second] += 1
    return statistics.mean(gaps), 1000 / max(1, min(seconds)), max(gaps)


def growth(samples: Sequence[Sample]) -> list[Figure]:
    """From the first third of the looks to the last one: what is kept for good, and not for a moment."""
    third = max(1, len(samples) // 3)
    first, last = samples[:third], samples[-third:]
    heaps = [statistics.median(one.heap_bytes for one in part) / 1e6 for part in (first, last)]
    nodes = [statistics.median(one.nodes for one in part) for part in (first, last)]
    span = f"{samples[-1].seconds / 60:.0f} minutes"
    return [
        Figure(what="held by scripts at the end", value=heaps[1], unit="MB"),
        Figure(what=f"growth over {span}", value=heaps[1] - heaps[0], unit="MB", budget=GROWTH_MB),
        Figure(what="nodes of the document at the end", value=nodes[1], unit=""),
        Figure(what=f"growth of nodes over {span}", value=nodes[1] - nodes[0], unit="", budget=GROWTH_NODES),
    ]


# -- the whole --

SECTIONS = ("opening", "moving", "arriving", "lasting", "painting")


class Measured(msgspec.Struct):
    """All figures, and the looks at the page that was left open."""

    outcomes: list[Outcome] = []
    samples: list[Sample] = []


def measure(only: Sequence[str], extent: Extent, keep: Path | None, tell: Callable[[str], object]) -> Measured:
    """Measure what is asked for, and tell each section when it is known.

    Args:
        only: Names of sections.
        extent: How much.
        keep: A folder for seeded homes, to be used again; `None` for none.
        tell: Gets the lines of a section.
    """
    found = Measured()

    def note(section: str, figures: Callable[[], list[Figure]]) -> None:
        try:
            outcome = Outcome(scenario=section, figures=figures(), others=None)
        except Exception as error:  # the other sections are measured all the same
            outcome = Outcome(scenario=section, figures=[], others=None, failed=f"{type(error).__name__}: {error}")
        found.outcomes.append(outcome)
        tell(f"\n{report.section(outcome)}")

    def lasted(scene: Scene) -> list[Figure]:
        figures, found.samples = lasting(scene)
        return figures

    def painted() -> list[Figure]:
        with sqlite_home(keep, extent.stored) as env:
            what, _ = seeded(env, extent.stored)
            with at_server(env) as place:
                return painting(place, what, extent)

    of_a_run: dict[str, Callable[[Scene], list[Figure]]]
    of_a_run = {"opening": opening, "moving": moving, "arriving": arriving, "lasting": lasted}
    if any(section in only for section in of_a_run):
        with large_run(extent) as scene:
            for section, figures in of_a_run.items():
                if section in only:
                    note(section, lambda figures=figures: figures(scene))  # type: ignore[misc]  # bound at once
    if "painting" in only:
        note("painting", painted)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--only", choices=SECTIONS, action="append", help="which sections")
    parser.add_argument("--quick", action="store_true", help="little of all; its figures mean nothing")
    parser.add_argument("--minutes", type=float, help="how long a page is left open")
    parser.add_argument("--task-runs", type=int, metavar="N", help="in the store on which pages are painted")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the seeded store there, to use it again")
    parser.add_argument("--json", type=Path, metavar="FILE", help=f"default, of a whole measurement: {RESULTS.name}")
    asked = parser.parse_args()
    extent = QUICK if asked.quick else Extent()
    if asked.minutes is not None:
        extent = msgspec.structs.replace(extent, minutes=asked.minutes)
    if asked.task_runs is not None:
        extent = msgspec.structs.replace(extent, stored=asked.task_runs)
    described = {**machine.describe(), "load": os.getloadavg()}
    print(
        f"{described['cores']} cores ({described['processor']}), {described['date']}. At the beginning others kept"
        f" {os.getloadavg()[0]:.1f}\nprocesses busy. Medians where nothing else is said.",
        flush=True,
    )
    found = measure(asked.only or SECTIONS, extent, asked.keep, lambda lines: print(lines, flush=True))
    into = asked.json or (RESULTS if not asked.quick and asked.only is None else None)
    if into is not None:
        whole = {
            "machine": {**described, "load_at_the_end": os.getloadavg()},
            "extent": extent,
            "scenarios": found.outcomes,
            "samples": found.samples,
        }
        into.write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n")
        print(f"\nWritten to {into}")


if __name__ == "__main__":
    main()
