"""The page of a run: what it says, what can be done there, and what it asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.server.serving import Served, wait_until
from tests.ui.browsing import Recording
from tests.ui.conftest import Open


def run_in(served: Served, state: str) -> str:
    """Wait until a run is in a state, and return its id."""

    def found() -> list[Any]:
        runs: list[Any] = served.client.get(f"/api/flow-runs?state={state}").json()["runs"]
        return runs

    wait_until(lambda: bool(found()))
    return str(found()[0]["id"])


def test_a_failed_run_says_what_it_is_and_is_resumed_without_a_reload(
    recording: Recording, served: Served, visit: Open
) -> None:
    recording.run("importing")
    run = recording.newest("importing")
    page = visit(f"/runs/{run.id}/attempts").page

    expect(page.get_by_role("heading", level=1)).to_contain_text(run.name)
    page.get_by_role("button", name="More", exact=True).click()
    expect(page.get_by_role("group", name="Parameters")).to_contain_text("rows")
    page.keyboard.press("r")
    page.get_by_role("dialog").get_by_role("button", name="Resume", exact=True).click()

    expect(page.get_by_role("link", name="Attempt 2", exact=True)).to_be_visible()
    expect(page.get_by_role("region", name="Attempts").get_by_role("listitem")).to_have_count(2)


def test_a_paused_run_is_answered_in_the_form_of_what_it_asks(
    recording: Recording, served: Served, visit: Open
) -> None:
    recording.start("release")
    page = visit(f"/runs/{run_in(served, 'PAUSED')}/why").page

    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_label("reason", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("reason", exact=True).fill("all is well")
    page.get_by_role("button", name="Answer").click()

    expect(page.locator("h1")).to_contain_text("Completed")
    page.get_by_text("1 question was answered").click()
    expect(page.get_by_text('"reason":"all is well"')).to_be_visible()
    expect(page.get_by_text("Nothing waits.")).to_be_visible()


def test_a_running_run_is_cancelled_from_the_page(recording: Recording, served: Served, visit: Open) -> None:
    recording.start("long_one:30.0")
    page = visit(f"/runs/{run_in(served, 'RUNNING')}/attempts").page

    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()

    expect(page.locator("h1")).to_contain_text("Cancelled")
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_visible()


def test_a_run_is_started_again_with_changed_parameters(recording: Recording, served: Served, visit: Open) -> None:
    recording.run("daily:1")
    run = recording.newest("daily")
    page = visit(f"/runs/{run.id}/attempts?again=1").page
    form = page.get_by_role("dialog")

    form.get_by_label("number", exact=True).fill("x")
    form.get_by_role("button", name="Start").click()
    expect(form.get_by_text("Give a whole number, not x.")).to_be_visible()
    form.get_by_label("number", exact=True).fill("7")
    form.get_by_label("Name of the new run").fill("by-hand")
    form.get_by_role("button", name="Start").click()

    expect(page.locator("h1")).to_contain_text("by-hand")
    expect(page.locator("h1")).to_contain_text("Completed")
    assert served.client.get("/api/flow-runs?text=by-hand").json()["runs"][0]["parameters"] == {"number": 7}


def test_a_task_is_looked_at_beside_the_page_and_run_again_from(
    recording: Recording, served: Served, visit: Open
) -> None:
    recording.run("importing")
    run = recording.newest("importing")
    page = visit(f"/runs/{run.id}/why").page

    page.get_by_role("button", name="check-3").click()
    panel = page.get_by_role("complementary", name="Task run check-3")
    expect(panel).to_contain_text("has no price")
    panel.get_by_role("button", name="Traceback", exact=True).click()
    expect(panel.get_by_role("region", name="Traceback")).to_contain_text("ValueError")
    page.keyboard.press("k")
    expect(page.get_by_role("complementary", name="Task run check-2")).to_be_visible()
    page.keyboard.press("j")
    expect(panel).to_be_visible()
    page.get_by_role("button", name="Run again from here").click()
    page.get_by_role("dialog").get_by_role("button", name="Run again from it").click()

    expect(page.get_by_role("link", name="Attempt 2", exact=True)).to_be_visible()
    expect(page.get_by_role("complementary")).to_contain_text("It ran again")
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary")).to_have_count(0)


def test_a_finished_run_is_deleted(recording: Recording, served: Served, visit: Open) -> None:
    recording.run("daily:1")
    page = visit(f"/runs/{recording.newest('daily').id}/attempts").page

    page.get_by_role("button", name="More to do").click()
    page.get_by_role("menuitem", name="Delete the run").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete it").click()

    page.wait_for_url(lambda url: url.endswith("/runs"))
    assert served.client.get("/api/flow-runs").json()["runs"] == []


def test_an_id_that_does_not_exist_is_answered_in_the_words_of_the_server(served: Served, visit: Open) -> None:
    opened = visit("/")
    opened.expect_refusal(404)

    opened.go("/runs/01a2")

    expect(opened.page.get_by_role("alert")).to_contain_text("No run matches '01a2'")


def test_who_may_only_look_sees_nothing_to_do(
    recording: Recording, served: Served, visit: Open, people: dict[str, str]
) -> None:
    recording.run("importing")
    opened = visit(as_owner=False)
    opened.log_in_as("viewer", people["viewer"])

    opened.go(f"/runs/{recording.newest('importing').id}/why")

    expect(opened.page.get_by_text("Went wrong")).to_be_visible()
    for name in ("Resume", "Cancel", "Run again", "From a task…", "More to do"):
        expect(opened.page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    opened.page.get_by_role("button", name="check-3").click()
    expect(opened.page.get_by_role("complementary")).to_contain_text("has no price")
    expect(opened.page.get_by_role("button", name="Run again from here")).to_have_count(0)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_the_page_of_a_run_is_accessible_and_fits(
    filled: Path, recording: Recording, served: Served, visit: Open, width: int, theme: str
) -> None:
    opened = visit("/", width=width, theme=theme)
    hostile = next(run for run in recording.runs() if run.flow.startswith("odd"))
    failed = recording.newest("importing")
    [task] = served.client.get(f"/api/flow-runs/{failed.id}/task-runs?state=FAILED").json()["tasks"]

    for path in (
        f"/runs/{hostile.id}/why?more=1",
        f"/runs/{failed.id}/attempts?task={task['id']}",
        f"/runs/{failed.id}/why?again=1",
    ):
        opened.go(path)
        opened.page.locator("h1").wait_for()
        if "task=" in path:
            opened.page.get_by_role("heading", name="check-3").wait_for()
        if "again" in path:
            opened.page.get_by_role("button", name="Start").wait_for()
        assert opened.axe() == []
        assert opened.overflow() == 0


def test_the_parts_of_a_run_stay_in_reach_below_a_tall_header_and_the_open_one_is_seen(
    recording: Recording, visit: Open
) -> None:
    recording.run("hostile")
    page = visit(f"/runs/{recording.runs()[0].id}/why?more=1", width=390).page

    parts = page.get_by_role("navigation", name="Parts of the run")
    current = parts.locator("[aria-current=page]")
    expect(current).to_have_text("Why")
    assert parts.evaluate("nav => nav.clientHeight") > 24
    past = "link => link.getBoundingClientRect().right - link.parentElement.getBoundingClientRect().right"
    wait_until(lambda: current.evaluate(past) < 1)


def test_a_tab_keeps_the_focus_while_its_run_changes(recording: Recording, served: Served, visit: Open) -> None:
    recording.start("long_one:20.0")
    page = visit(f"/runs/{run_in(served, 'RUNNING')}/why").page

    graph = page.get_by_role("navigation", name="Parts of the run").get_by_role("link", name="Graph")
    graph.focus()
    told = page.get_by_role("link", name="Tasks").text_content()
    wait_until(lambda: page.get_by_role("link", name="Tasks").text_content() != told)

    expect(graph).to_be_focused()
