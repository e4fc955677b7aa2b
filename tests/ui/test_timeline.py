"""The timeline in the browser: keys and pointers, its URL, attempts, and what happens while one looks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from nadi.model.records import AnyRecord
from nadi.model.states import StateType
from nadi.storage.sqlite import SqliteStore
from tests.storage.telling import T0, Writer, a_call, an_id, flow_begun, flow_moved, task_begun, task_moved
from tests.ui.conftest import Open

S = StateType
RUN, CHILD = an_id(1), an_id(2)
LOAD, FIT, SCORE = an_id(11), an_id(12), an_id(13)
HOUR = 3600.0


@pytest.fixture
def writer(home: Path) -> Iterator[Writer]:
    """A process that tells the store of the test what a run does."""
    store = SqliteStore(home / "nadi.db")
    yield Writer(store, "teller")
    store.close()


@pytest.fixture
def a_run(writer: Writer) -> None:
    """A load, a fit that failed, was tried again after an hour and took the load's outcome, and a subflow's score."""
    fit = {"task": "fit", "name": "fit-1", "call": a_call(RUN, 2), "upstream": (LOAD,)}
    writer.tell(
        flow_begun(RUN, name="trainer"),
        task_begun(RUN, LOAD, task="load", name="load-0", call=a_call(RUN, 1), at=T0 + 1),
        task_moved(RUN, LOAD, S.COMPLETED, at=T0 + 4),
        task_begun(RUN, FIT, at=T0 + 4, **fit),
        task_moved(RUN, FIT, S.SCHEDULED, message="no memory", due=T0 + HOUR, at=T0 + 6),
        task_moved(RUN, FIT, S.RUNNING, was=S.SCHEDULED, attempt=2, at=T0 + HOUR),
        task_moved(RUN, FIT, S.COMPLETED, attempt=2, at=T0 + HOUR + 2),
        flow_begun(RUN, id=CHILD, parent=RUN, flow="evaluate", name="inner", call=a_call(RUN, 3), at=T0 + HOUR + 2),
        task_begun(RUN, SCORE, run=CHILD, task="score", name="score-0", at=T0 + HOUR + 2),
        task_moved(RUN, SCORE, S.COMPLETED, at=T0 + HOUR + 3),
        flow_moved(RUN, S.COMPLETED, id=CHILD, at=T0 + HOUR + 3),
        flow_moved(RUN, S.COMPLETED, at=T0 + HOUR + 4),
    )


def timeline(page: Page) -> Locator:
    return page.get_by_role("application")


def told(page: Page) -> Locator:
    """What a screen reader says of the place that one moved to."""
    return timeline(page).locator("xpath=following-sibling::p[@role='status']")


@pytest.mark.usefixtures("a_run")
def test_keys_go_from_attempt_to_attempt_and_open_a_task(visit: Open) -> None:
    page = visit(f"/runs/{RUN}/timeline").page

    timeline(page).focus()
    page.keyboard.press("ArrowRight")
    expect(told(page)).to_have_text("load-0, Completed, from 1.0 s after the start, took 3.0 s.")
    page.keyboard.press("ArrowRight")
    expect(told(page)).to_contain_text("fit-1, Failed, attempt 1 of 2")
    expect(told(page)).to_contain_text("no memory")
    page.keyboard.press("ArrowRight")
    expect(told(page)).to_contain_text("fit-1, Completed, attempt 2 of 2")
    page.keyboard.press("Enter")

    page.wait_for_url(lambda url: f"task={FIT}" in url)


@pytest.mark.usefixtures("a_run")
def test_what_one_points_at_is_told_and_a_click_opens_it(visit: Open) -> None:
    page = visit(f"/runs/{RUN}/timeline?by=start").page
    expect(timeline(page)).to_be_visible()
    box = timeline(page).bounding_box()
    assert box is not None

    # The last task run is the last bar of the last row.
    tooltip = page.get_by_text("score-0", exact=True)
    for x in range(int(box["width"]) - 30, int(box["width"] / 2), -6):
        page.mouse.move(box["x"] + x, box["y"] + 3.5 * 22)
        if tooltip.count():
            break
    expect(tooltip).to_be_visible()
    page.mouse.down()
    page.mouse.up()

    page.wait_for_url(lambda url: f"task={SCORE}" in url)


@pytest.mark.usefixtures("a_run")
def test_how_it_is_seen_stands_in_the_url_and_survives_a_reload(visit: Open) -> None:
    person = visit(f"/runs/{RUN}/timeline")
    page = person.page

    page.get_by_label("Arrange").select_option("By subflow")
    page.get_by_role("button", name="Critical path").click()
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_url(lambda url: all(one in url for one in ("by=flow", "path=critical", "from=", "to=")))
    before = page.url
    page.reload()

    expect(page.get_by_label("Arrange")).to_have_value("flow")
    expect(page.get_by_role("button", name="Critical path")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Fit")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_text("3 task runs · ")).to_be_visible()
    assert page.url == before
    assert person.axe() == []


@pytest.mark.usefixtures("a_run")
def test_an_hour_in_which_nothing_ran_is_cut_until_one_wants_the_true_scale(visit: Open) -> None:
    page = visit(f"/runs/{RUN}/timeline").page
    true_scale = page.get_by_role("button", name="True scale")

    expect(true_scale).to_have_attribute("aria-pressed", "false")
    true_scale.click()

    expect(true_scale).to_have_attribute("aria-pressed", "true")
    page.wait_for_url(lambda url: "scale=true" in url)


def test_what_begins_and_ends_while_one_looks_is_shown_without_a_reload(visit: Open, writer: Writer) -> None:
    now = time.time()
    writer.tell(flow_begun(RUN, at=now), task_begun(RUN, LOAD, task="load", name="load-0", call=a_call(RUN, 1), at=now))
    page = visit(f"/runs/{RUN}/timeline").page
    summary = page.locator("#timeline-summary")
    expect(summary).to_contain_text("1 task run within")
    expect(summary).to_contain_text("1 running")
    expect(page.get_by_role("button", name="Follow")).to_be_visible()

    writer.tell(
        task_moved(RUN, LOAD, S.COMPLETED, at=now + 1),
        task_begun(RUN, FIT, task="fit", name="fit-1", call=a_call(RUN, 2), at=now + 1),
    )

    expect(summary).to_contain_text("2 task runs within")
    expect(summary).to_contain_text("1 running, 1 completed")


def test_a_run_without_tasks_says_so(visit: Open, writer: Writer) -> None:
    writer.tell(flow_begun(RUN), flow_moved(RUN, S.COMPLETED))

    page = visit(f"/runs/{RUN}/timeline").page

    expect(page.get_by_text("This run called no tasks")).to_be_visible()


def test_ten_thousand_task_runs_are_folded_and_can_be_reached_by_keys(visit: Open, writer: Writer) -> None:
    writer.tell(flow_begun(RUN))
    for part in range(0, 10_000, 1_000):
        records: list[AnyRecord] = []
        for n in range(part, part + 1_000):
            id, at = an_id(100 + n), T0 + n / 100
            records.append(task_begun(RUN, id, task="item", name=f"item-{n}", call=a_call(RUN, n), at=at))
            records.append(task_moved(RUN, id, S.COMPLETED, at=at + 0.05))
        writer.tell(*records)
    writer.tell(flow_moved(RUN, S.COMPLETED, at=T0 + 101))
    page = visit(f"/runs/{RUN}/timeline").page
    expect(page.locator("#timeline-summary")).to_contain_text("10,000 task runs")

    timeline(page).focus()
    page.keyboard.press("End")

    expect(told(page)).to_contain_text("Completed")
    page.get_by_label("Arrange").select_option("By start")
    timeline(page).focus()
    page.keyboard.press("End")
    expect(told(page)).to_contain_text("item-9999, Completed")
