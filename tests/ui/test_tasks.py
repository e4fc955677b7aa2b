"""The table of tasks in the browser: filters, order, groups, what changes while it is looked at, and files."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from nadi.model.states import StateType
from nadi.storage.sqlite import SqliteStore
from tests.storage.telling import T0, Writer, a_call, an_id, flow_begun, task_begun, task_moved
from tests.ui.conftest import Open

RUN = an_id(1)
S = StateType
MANY = 3_000


@pytest.fixture
def writer(home: Path) -> Iterator[Writer]:
    """A process that tells the store of the test what a run does."""
    store = SqliteStore(home / "nadi.db")
    yield Writer(store, "teller")
    store.close()


def tell_task(writer: Writer, n: int, name: str, state: StateType = S.COMPLETED, **given: object) -> None:
    """One task run that began at its second and took `n` tenths of a second."""
    id, task = an_id(10 + n), name.rpartition("-")[0]
    call = a_call(RUN, n)
    writer.tell(task_begun(RUN, id, name=name, task=task, call=call, at=T0 + n, **{"attempt": 1} | given))
    if state is not S.RUNNING:
        writer.tell(task_moved(RUN, id, state, at=T0 + n + n / 10, **{"attempt": 1} | given))


@pytest.fixture
def some_tasks(writer: Writer) -> None:
    """Loads that completed, one of them at the second attempt, a fit that failed and one that runs."""
    writer.tell(flow_begun(RUN, name="trainer"))
    tell_task(writer, 1, "load-1")
    tell_task(writer, 9, "load-2")
    tell_task(writer, 3, "load-10", attempt=2)
    tell_task(writer, 5, "fit-1", S.FAILED)
    tell_task(writer, 6, "fit-2", S.RUNNING)


def table(page: Page) -> Locator:
    return page.get_by_role("table", name="Tasks")


def names(page: Page) -> list[str]:
    return re.findall(r"(?:load|fit)-\d+", table(page).inner_text())


def wait_for_names(page: Page, *wanted: str) -> None:
    page.wait_for_function(
        "wanted => [...document.querySelectorAll('[role=table] [data-row]')]"
        ".map(row => row.innerText.match(/(?:load|fit)-\\d+/)?.[0] ?? '').join() === wanted",
        arg=",".join(wanted),
    )


@pytest.mark.usefixtures("some_tasks")
def test_tasks_are_sorted_and_filtered_and_a_reload_shows_the_same(visit: Open) -> None:
    page = visit(f"/runs/{RUN}/tasks").page
    expect(page.get_by_text("5 task runs", exact=True)).to_be_visible()

    page.get_by_role("button", name="Name", exact=True).click()
    wait_for_names(page, "fit-1", "fit-2", "load-1", "load-2", "load-10")
    page.get_by_role("button", name="Completed 3").click()
    wait_for_names(page, "load-1", "load-2", "load-10")
    page.get_by_role("button", name="Retried 1").click()
    wait_for_names(page, "load-10")

    page.reload()
    wait_for_names(page, "load-10")
    expect(page.get_by_role("button", name="Completed")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
    page.get_by_label("Search in names and messages").fill("nothing")
    page.get_by_role("button", name="Show all tasks").click()
    wait_for_names(page, "fit-1", "fit-2", "load-1", "load-2", "load-10")


@pytest.mark.usefixtures("some_tasks")
def test_tasks_change_and_come_while_they_are_looked_at(visit: Open, writer: Writer) -> None:
    page = visit(f"/runs/{RUN}/tasks?state=RUNNING").page
    wait_for_names(page, "fit-2")

    tell_task(writer, 7, "fit-3", S.RUNNING)
    wait_for_names(page, "fit-2", "fit-3")
    writer.tell(task_moved(RUN, an_id(16), S.COMPLETED, at=T0 + 20))
    wait_for_names(page, "fit-3")

    expect(page.get_by_role("button", name="Completed 4")).to_be_visible()


@pytest.mark.usefixtures("some_tasks")
def test_groups_tell_of_all_runs_of_a_task_and_are_folded_and_unfolded(visit: Open) -> None:
    page = visit(f"/runs/{RUN}/tasks").page
    page.get_by_role("button", name="Group").click()

    group = table(page).get_by_role("row").filter(has_text="max 900 ms")
    expect(group).to_contain_text("p50 300 ms, max 900 ms")
    expect(group.get_by_role("img")).to_have_attribute("aria-label", "load: 3 completed")
    group.click()
    wait_for_names(page, "", "", "fit-1", "fit-2")
    page.reload()
    wait_for_names(page, "", "", "fit-1", "fit-2")


@pytest.mark.usefixtures("some_tasks")
def test_a_task_is_opened_by_a_click_or_by_keys_alone(visit: Open) -> None:
    page = visit(f"/runs/{RUN}/tasks").page
    table(page).get_by_role("row").filter(has_text="load-1").first.click()
    expect(page).to_have_url(re.compile(f"task={an_id(11)}"))

    page.goto(page.url.partition("?")[0])
    table(page).get_by_role("row").filter(has_text="load-1").first.focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"task={an_id(13)}"))


@pytest.mark.usefixtures("some_tasks")
def test_what_is_shown_is_saved_as_a_table(visit: Open, tmp_path: Path) -> None:
    page = visit(f"/runs/{RUN}/tasks?name=load&sort=-took").page
    wait_for_names(page, "load-2", "load-10", "load-1")

    with page.expect_download() as saved:
        page.get_by_role("button", name="Save what is shown as CSV").click()

    saved.value.save_as(tmp_path / "saved.csv")
    with (tmp_path / "saved.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert saved.value.suggested_filename == "trainer.csv"
    assert [(row["name"], row["state"], row["attempts"]) for row in rows] == [
        ("load-2", "COMPLETED", "1"),
        ("load-10", "COMPLETED", "2"),
        ("load-1", "COMPLETED", "1"),
    ]
    assert float(rows[0]["took_seconds"]) == pytest.approx(0.9)


def test_thousands_of_tasks_are_a_table_of_which_only_what_is_seen_exists(visit: Open, writer: Writer) -> None:
    begun = [
        task_begun(RUN, an_id(10 + n), name=f"load-{n}", task="load", call=a_call(RUN, n), at=T0 + n / 100)
        for n in range(MANY)
    ]
    moved = [task_moved(RUN, an_id(10 + n), S.COMPLETED, at=T0 + n / 100 + 0.01) for n in range(MANY)]
    writer.tell(flow_begun(RUN, name="trainer"), *begun, *moved)

    page = visit(f"/runs/{RUN}/tasks?sort=-name").page

    expect(page.get_by_text("3,000 task runs", exact=True)).to_be_visible()
    expect(table(page).get_by_role("row").nth(1)).to_contain_text("load-2999")
    assert table(page).get_by_role("row").count() < 80
    page.keyboard.press("t")
    expect(table(page).get_by_role("row")).to_have_count(2)
    expect(table(page).get_by_role("row").nth(1)).to_contain_text("load3,000")


def test_a_run_without_tasks_says_so(visit: Open, writer: Writer) -> None:
    writer.tell(flow_begun(RUN, name="trainer"))

    page = visit(f"/runs/{RUN}/tasks").page

    expect(page.get_by_text("No task was called yet.")).to_be_visible()


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
@pytest.mark.usefixtures("some_tasks")
def test_a_table_of_tasks_is_accessible_and_fits_its_window(visit: Open, width: int, theme: str) -> None:
    person = visit(f"/runs/{RUN}/tasks?group=1", width=width, theme=theme)
    expect(table(person.page).get_by_text("load-10")).to_be_visible()

    assert (person.axe(), person.overflow()) == ([], 0)
