"""The first page: whether all is well, what runs, what failed, what waits, and how to begin."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from nadi.model.ids import uuid7
from tests.server.serving import Served
from tests.storage.telling import S, Writer, flow_begun, flow_moved
from tests.ui.browsing import Recording
from tests.ui.conftest import Open


def test_an_empty_home_says_how_to_begin_and_the_first_run_appears_by_itself(visit: Open, recording: Recording) -> None:
    person = visit()

    expect(person.page.get_by_role("heading", level=1)).to_have_text("Nothing has run yet")
    expect(person.page.get_by_text("nadi run hello.py")).to_be_visible()
    assert person.axe() == []
    recording.start("daily:1")

    expect(person.page.get_by_role("heading", level=1)).to_contain_text("All is well")
    expect(person.page.get_by_role("region", name="Newest runs").get_by_role("listitem")).to_have_count(1)


@pytest.mark.usefixtures("filled")
def test_runs_that_failed_alike_are_one_row_which_leads_to_them(visit: Open, recording: Recording) -> None:
    person = visit()
    failed = sum(run.state_type in (S.FAILED, S.CRASHED) for run in recording.runs())
    failures = person.page.get_by_role("region", name="Failures")
    group = failures.get_by_role("listitem").filter(has_text=re.compile(r"row \d+ of the import has no price"))

    expect(person.page.get_by_role("heading", level=1)).to_contain_text(f"{failed} runs failed in the last 24 hours")
    expect(group).to_have_count(1)
    expect(group).to_contain_text("2 runs")
    group.get_by_role("link", name=recording.newest("importing").name).click()

    person.page.wait_for_url(f"**/runs/{recording.newest('importing').id}*")


def test_a_run_appears_goes_on_and_fails_without_a_reload(visit: Open, recording: Recording) -> None:
    recording.run("daily:1")
    person = visit()
    expect(person.page.get_by_role("heading", level=1)).to_contain_text("All is well")
    running = person.page.get_by_role("region", name="Running now")

    recording.start("long_one:2.0", "importing")

    expect(running.get_by_role("link", name="long-one")).to_be_visible()
    expect(running.get_by_role("img", name="completed")).to_be_visible()
    expect(person.page.get_by_role("heading", level=1)).to_contain_text("1 run failed")
    expect(person.page.get_by_role("region", name="Failures")).to_contain_text("of the import has no price")
    expect(running).to_contain_text("Nothing runs at the moment.")


def test_a_run_that_asks_somebody_waits_with_its_reason(visit: Open, recording: Recording) -> None:
    recording.run("daily:1")
    person = visit()

    recording.start("release")

    waiting = person.page.get_by_role("region", name="Waiting")
    expect(waiting.get_by_role("listitem")).to_contain_text("It waits for input (reason, publish)")
    expect(person.page.get_by_role("heading", level=1)).to_contain_text("1 run waits for an answer")


def test_a_run_that_nobody_has_begun_is_late(visit: Open, served: Served) -> None:
    now = datetime.now(UTC).timestamp()
    Writer(served.context.store, "asks").tell(
        flow_begun("0199-late", name="late-heron", state=S.SCHEDULED, holder="", at=now - 600)
    )

    person = visit()

    row = person.page.get_by_role("region", name="Waiting").get_by_role("listitem")
    expect(row).to_contain_text("no process has claimed it")
    expect(row).to_contain_text("late")
    expect(person.page.get_by_role("heading", level=1)).to_contain_text("1 run is late")


@pytest.mark.usefixtures("filled")
def test_a_time_is_chosen_by_keys_stands_in_the_url_and_is_let_go(visit: Open) -> None:
    person = visit()
    times = person.page.get_by_role("listbox")
    expect(times.get_by_role("option")).to_have_count(24)

    times.focus()
    times.press("End")
    times.press("Shift+ArrowLeft")
    person.page.wait_for_url("**/?from=*&to=*")
    person.page.reload()

    expect(person.page.get_by_role("option", selected=True)).to_have_count(2)
    expect(person.page.get_by_role("region", name="Runs of this time").get_by_role("listitem").first).to_be_visible()
    expect(person.page.get_by_role("link", name="All runs of this time")).to_have_attribute(
        "href", re.compile(r"/runs\?since=.*&until=.*")
    )
    person.page.get_by_role("listbox").press("Escape")
    person.page.wait_for_url(lambda url: "from=" not in url)


@pytest.mark.usefixtures("filled")
def test_a_time_is_chosen_by_drawing_over_it(visit: Open) -> None:
    person = visit()
    expect(person.page.get_by_role("option")).to_have_count(24)
    box = person.page.get_by_role("listbox").bounding_box()
    assert box is not None
    mouse = person.page.mouse

    mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.45, box["y"] + 40, steps=3)
    mouse.up()

    expect(person.page.get_by_role("heading", level=1)).to_contain_text("Nothing ran on")
    expect(person.page.get_by_role("region", name="Failures")).to_contain_text("Nothing failed on")
    assert "from=" in person.page.url
    person.page.get_by_role("button", name="Show all").click()
    expect(person.page.get_by_role("heading", level=1)).to_contain_text("in the last 24 hours")


def test_a_time_that_somebody_sent_is_shown_also_when_it_is_long_past(visit: Open, served: Served) -> None:
    at = datetime.now(UTC) - timedelta(days=3)
    run = uuid7(at.timestamp(), 1)
    Writer(served.context.store, "told").tell(
        flow_begun(run, at=at.timestamp()), flow_moved(run, S.FAILED, at=at.timestamp() + 1, message="It is no use.")
    )
    begin = at.replace(minute=0, second=0, microsecond=0)

    person = visit(f"/?from={begin:%Y-%m-%dT%H:%M:%SZ}&to={begin + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}")

    expect(person.page.get_by_role("heading", level=1)).to_contain_text("1 run failed on")
    expect(person.page.get_by_role("region", name="Failures")).to_contain_text("It is no use.")
    expect(person.page.get_by_role("region", name="Runs of this time").get_by_role("listitem")).to_have_count(1)


@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (1280, "dark")])
@pytest.mark.usefixtures("filled")
def test_every_length_of_time_is_accessible_and_fits_its_window(visit: Open, width: int, theme: str) -> None:
    person = visit(width=width, theme=theme)

    for name, told in (("7 d", "7 days"), ("30 d", "30 days")):
        person.page.get_by_role("link", name=name, exact=True).click()
        expect(person.page.get_by_role("heading", level=1)).to_contain_text(told)
        assert person.overflow() == 0
    person.page.reload()

    expect(person.page.get_by_role("heading", level=1)).to_contain_text("30 days")
    assert (person.axe(), person.overflow()) == ([], 0)
