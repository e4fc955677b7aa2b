"""Runs beside each other in the browser: what differs first, and what the URL keeps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from nadi.model.states import StateType
from nadi.storage.sqlite import SqliteStore
from tests.storage.telling import Writer, an_id, artifact_made, flow_begun, flow_moved, metric_logged
from tests.ui.browsing import Recording
from tests.ui.conftest import Open

ONE, OTHER, GONE = an_id(1), an_id(2), an_id(99)


@pytest.fixture
def writer(home: Path) -> Iterator[Writer]:
    """Two runs that differ in a parameter, a metric and an artifact."""
    store = SqliteStore(home / "nadi.db")
    made = Writer(store, "teller")
    for n, run in enumerate((ONE, OTHER)):
        parameters = json.dumps({"rows": 500, "model": {"depth": 3 + n, "name": "tree"}}).encode()
        made.tell(
            flow_begun(run, name=f"try-{n}", flow="training", parameters=parameters),
            *[metric_logged(run, "loss", 1 / (step + 1 + n), step=step) for step in range(20)],
            artifact_made(run, an_id(20 + n), key="report", data=json.dumps(f"same\nline {n}\n").encode()),
            flow_moved(run, StateType.COMPLETED),
        )
    yield made
    store.close()


def line(page: Page, label: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=re.compile(f"{re.escape(label)}$")))


@pytest.mark.usefixtures("writer")
def test_differences_come_first_and_alone_where_one_asks_for_that(visit: Open) -> None:
    person = visit(f"/compare?run={ONE}&run={OTHER}")
    page = person.page

    depth = line(page, "model.depth")
    expect(depth).to_contain_text("Differs: ")
    assert depth.get_by_role("cell").all_inner_texts() == ["3", "4"]
    expect(line(page, "rows")).to_be_visible()
    expect(page.get_by_text("1 of 3 differs")).to_be_visible()
    expect(line(page, "loss")).to_contain_text("0.047619")
    assert person.axe() == []
    page.get_by_label("Only differences").check()
    expect(line(page, "rows")).to_have_count(0)
    page.reload()
    expect(depth).to_be_visible()
    expect(line(page, "rows")).to_have_count(0)


@pytest.mark.usefixtures("writer")
def test_what_changed_in_an_artifact_is_shown_line_by_line(visit: Open) -> None:
    page = visit(f"/compare?run={ONE}&run={OTHER}").page

    line(page, "report , Text").get_by_role("button", name="Changes").click()

    changes = page.get_by_role("region", name="Changes")
    expect(changes.get_by_role("row").filter(has_text="taken away")).to_contain_text("line 0")
    expect(changes.get_by_role("row").filter(has_text="added")).to_contain_text("line 1")


@pytest.mark.usefixtures("writer")
def test_runs_are_added_by_name_and_taken_away_and_one_that_is_gone_says_so(visit: Open) -> None:
    person = visit()
    person.expect_refusal(404)
    page = person.page

    person.go(f"/compare?run={ONE}&run={GONE}")
    expect(page.get_by_role("columnheader").nth(1)).to_contain_text("No run matches")
    expect(line(page, "rows").get_by_role("cell").first).to_have_text("500")
    page.get_by_role("button", name=f"Take {GONE} away").click()
    expect(page.get_by_text("Add another run to see what differs.")).to_be_visible()
    page.get_by_role("button", name="Add a run").click()
    page.get_by_role("combobox", name="Runs to compare").fill("try-1")
    page.get_by_role("option", name=re.compile("try-1")).click()
    page.wait_for_url(lambda url: f"run={OTHER}" in url)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Hold the others against try-1").click()
    expect(page.get_by_role("columnheader").first).to_contain_text("try-1")


@pytest.mark.usefixtures("filled")
def test_recorded_runs_are_compared_with_how_long_their_tasks_took(visit: Open, recording: Recording) -> None:
    runs = "&".join(f"run={run.id}" for run in recording.runs() if run.flow in ("training", "importing"))
    person = visit(f"/compare?{runs}", width=390, theme="dark")
    page = person.page

    expect(line(page, "fit")).to_contain_text("4 times")
    expect(line(page, "fit")).to_contain_text("not called")
    assert (person.overflow(), person.axe()) == (0, [])
