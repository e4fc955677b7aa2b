"""The list of runs: live, narrowed by its URL, and what is done to many at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.server.serving import Served
from tests.ui.browsing import Recording, Visit
from tests.ui.conftest import Open


def is_read(visit: Visit) -> Page:
    visit.page.locator("[data-row]").first.wait_for()
    return visit.page


def test_a_run_of_another_process_appears_and_changes_without_a_reload(visit: Open, recording: Recording) -> None:
    page = visit("/runs").page
    expect(page.get_by_text("Nothing has run yet.")).to_be_visible()

    recording.start("long_one:2.0")

    expect(page.get_by_role("row").filter(has_text="long-one").get_by_text("Running")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="long-one").get_by_text("Completed")).to_be_visible()


@pytest.mark.usefixtures("filled")
def test_filters_stand_in_the_address_and_outlast_a_reload(visit: Open) -> None:
    page = is_read(visit("/runs"))

    page.get_by_role("button", name="State", exact=True).click()
    page.get_by_role("button", name="Went wrong").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Flow", exact=True).click()
    page.get_by_role("listitem").filter(has_text="importing").get_by_role("button").click()
    page.wait_for_url(re.compile("flow=importing"))
    expect(page.locator("[data-row]")).to_have_count(2)
    page.reload()

    expect(page.locator("[data-row]")).to_have_count(2)
    expect(page.get_by_role("button", name=re.compile("state Crashed"))).to_be_visible()
    page.get_by_role("button", name=re.compile("flow importing")).click()
    expect(page.locator("[data-row]").filter(has_text="crashing")).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("[data-row]").filter(has_text="daily")).to_have_count(2)


@pytest.mark.usefixtures("filled")
def test_runs_are_found_by_text_and_by_a_parameter(visit: Open) -> None:
    page = is_read(visit("/runs"))

    page.keyboard.press("f")
    page.keyboard.type("DAIL")
    expect(page.locator("[data-row]")).to_have_count(2)
    page.get_by_role("button", name="Parameters").click()
    page.get_by_label("Name of the parameter").fill("number")
    page.get_by_label("Its value").fill("2")
    page.get_by_role("button", name="Add").click()

    expect(page.locator("[data-row]")).to_have_count(1)
    assert "parameter=number%3D2" in page.url


@pytest.mark.usefixtures("filled")
def test_a_view_can_be_kept_and_is_there_at_the_next_visit(visit: Open) -> None:
    person = visit("/runs?flow=training")
    page = is_read(person)

    page.get_by_role("button", name="This view").click()
    page.get_by_role("menuitem", name="Save as a view").click()
    page.get_by_label("Name", exact=True).fill("Trainings")
    page.keyboard.press("Enter")
    person.go("/runs")
    page.get_by_role("link", name="Trainings").click()

    expect(page).to_have_url(re.compile("flow=training"))
    expect(page.get_by_role("link", name="Trainings")).to_have_attribute("aria-current", "page")
    expect(page.locator("[data-row]")).to_have_count(2)


@pytest.mark.usefixtures("filled")
def test_keys_go_through_the_list_select_and_open(visit: Open, recording: Recording) -> None:
    newest = recording.runs()
    page = is_read(visit("/runs"))

    for key in "jjx":
        page.keyboard.press(key)
    expect(page.get_by_role("checkbox", name=f"Select {newest[1].name}")).to_be_checked()
    for key in ("j", "j", "X"):
        page.keyboard.press(key)
    expect(page.get_by_text("3 runs selected")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("3 runs selected")).to_have_count(0)
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(newest[3].id))


@pytest.mark.usefixtures("filled")
def test_one_comes_back_to_where_the_list_stood(visit: Open) -> None:
    page = is_read(visit("/runs"))
    page.set_viewport_size({"width": 1280, "height": 460})
    page.locator("[data-row]").last.scroll_into_view_if_needed()
    scroller = page.get_by_role("table", name="Runs").locator("..")
    page.wait_for_function("() => document.querySelector('[role=table]').parentElement.scrollTop > 60")
    before = scroller.evaluate("one => one.scrollTop")
    page.locator("[data-row]").last.click()
    page.wait_for_url(re.compile("/runs/[0-9a-f]"))

    page.go_back()

    page.locator("[data-row]").first.wait_for()
    assert scroller.evaluate("one => one.scrollTop") == before


@pytest.mark.usefixtures("filled")
def test_many_are_deleted_at_once_after_a_question_that_says_how_many(visit: Open, recording: Recording) -> None:
    page = is_read(visit("/runs?flow=importing"))

    for box in page.get_by_role("checkbox", name=re.compile("^Select ")).all():
        box.check()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete 2 runs").click()

    expect(page.get_by_text("No run is like that.")).to_be_visible()
    expect(page.get_by_text("Deleted 2 runs.")).to_be_visible()
    assert [run.flow for run in recording.runs() if run.flow == "importing"] == []


def test_running_runs_are_cancelled_together_and_what_is_refused_is_told(
    visit: Open, recording: Recording, served: Served
) -> None:
    person = visit("/runs")
    recording.start("long_one:60.0")
    recording.start("long_one:61.0")
    page = person.page
    expect(page.locator("[data-row]").filter(has_text="Running")).to_have_count(2)
    for box in page.get_by_role("checkbox", name=re.compile("^Select ")).all():
        box.check()
    page.get_by_role("button", name="Cancel").click()

    # One is stopped by somebody else while the question stands there.
    first = recording.runs()[0]
    served.client.post(f"/api/flow-runs/{first.id}/cancel", {})
    expect(page.locator("[data-row]").filter(has_text="Cancelled")).to_have_count(1)
    person.expect_refusal(409)
    page.get_by_role("button", name="Cancel 2 runs").click()

    expect(page.get_by_text("1 was refused")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_text(first.name).first).to_be_visible()
    page.get_by_role("button", name="Close").last.click()
    expect(page.locator("[data-row]").filter(has_text="Cancelled")).to_have_count(2)


@pytest.mark.usefixtures("filled")
def test_a_viewer_may_compare_runs_and_do_nothing_to_them(visit: Open, people: dict[str, str]) -> None:
    person = visit(as_owner=False)
    person.log_in_as("viewer", people["viewer"])
    person.go("/runs?flow=training")
    page = is_read(person)

    for box in page.get_by_role("checkbox", name=re.compile("^Select ")).all():
        box.check()

    expect(page.get_by_role("button", name="Compare")).to_be_visible()
    for name in ("Cancel", "Resume", "Delete"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


@pytest.mark.usefixtures("filled")
def test_new_runs_do_not_move_what_one_reads(visit: Open, recording: Recording) -> None:
    page = is_read(visit("/runs"))
    page.set_viewport_size({"width": 1280, "height": 460})
    scroller = page.get_by_role("table", name="Runs").locator("..")
    scroller.evaluate("one => one.scrollTo(0, 60)")
    third = page.locator("[data-row]").nth(3)
    key = third.get_attribute("data-row")
    row = page.locator(f'[data-row="{key}"]')
    before = row.bounding_box()

    recording.run("daily:1")

    expect(page.get_by_role("button", name="1 new run")).to_be_visible()
    assert row.bounding_box() == before
    page.get_by_role("button", name="1 new run").click()
    expect(page.locator("[data-row]").first).to_contain_text("daily")


@pytest.mark.usefixtures("filled")
def test_at_390_pixels_each_run_has_two_lines_and_filters_unfold(visit: Open) -> None:
    person = visit("/runs", width=390)
    page = is_read(person)

    page.get_by_role("button", name="Filters").click()
    page.get_by_role("button", name="Parameters").click()
    page.get_by_label("Name of the parameter").wait_for()

    assert person.overflow() == 0
    assert person.axe() == []
