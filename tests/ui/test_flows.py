"""The pages of flows: the list of them, and what is told of one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.ui.browsing import Recording
from tests.ui.conftest import Open
from tests.ui.test_everywhere import faults, is_shown

TABLES = ("", "?tab=tasks", "?tab=schema")
GRAPHS = ("?tab=graph", "?tab=graph&of=run")
ODD = "odd '\"flow\"' 🦊 שלום"

DECLARED = """
from dataclasses import dataclass

from nadi import Flow, Parameter, flow, task


@dataclass
class Options:
    depth: int = 3


@task
def clean(rows):
    return rows


@flow
def typed(options: Options | None = None) -> None:
    clean(1)


with Flow("nightly") as nightly:
    clean(Parameter("day", default="today"))

if __name__ == "__main__":
    nightly.run()
    typed()
"""


def run_declared(home: Path, recording: Recording) -> Path:
    script = home.parent / "declared.py"
    script.write_text(DECLARED)
    subprocess.run([sys.executable, str(script)], env=recording.environment(), check=True, timeout=50)
    return script


def test_a_flow_that_runs_elsewhere_appears_in_the_list_and_counts_up(visit: Open, recording: Recording) -> None:
    person = visit("/flows")
    person.page.get_by_text("No flow has run yet.").wait_for()

    recording.run("daily:1")
    row = person.page.get_by_role("row", name="daily")
    row.get_by_text("Newest run: 1 completed").wait_for(state="attached")
    recording.run("daily:2")

    row.get_by_text("Newest 2 runs: 2 completed").wait_for(state="attached")
    row.get_by_role("link", name="2", exact=True).wait_for()


@pytest.mark.usefixtures("filled")
def test_the_list_is_searched_and_sorted_by_its_url(visit: Open) -> None:
    person = visit("/flows")
    names = person.page.locator("[data-row]")
    names.first.wait_for()

    person.page.get_by_label("Text in the name of a flow").fill("i")
    person.page.wait_for_url("**/flows?text=i")
    person.page.get_by_role("button", name="Runs", exact=True).click()
    person.page.wait_for_url("**/flows?text=i&sort=-runs")
    before = names.evaluate_all("rows => rows.map((row) => row.dataset.row)")
    person.page.reload()
    names.first.wait_for()

    assert person.page.get_by_label("Text in the name of a flow").input_value() == "i"
    assert names.evaluate_all("rows => rows.map((row) => row.dataset.row)") == before
    assert set(before) == {"crashing", "daily", "importing", "training"}


@pytest.mark.usefixtures("filled")
def test_a_row_leads_to_its_flow_by_keys_alone(visit: Open) -> None:
    person = visit("/flows")
    person.page.locator("[data-row]").first.wait_for()

    person.page.keyboard.press("j")
    person.page.keyboard.press("j")
    person.page.keyboard.press("Enter")

    person.page.wait_for_url("**/flows/daily")


@pytest.mark.parametrize("parts", [TABLES, GRAPHS], ids=["tables", "graphs"])
@pytest.mark.parametrize(("width", "theme", "flow"), [(1280, "dark", "training"), (390, "light", ODD)])
@pytest.mark.usefixtures("filled")
def test_every_part_of_a_flow_is_accessible_and_fits_its_window(
    visit: Open, width: int, theme: str, flow: str, parts: tuple[str, ...]
) -> None:
    person = visit(width=width, theme=theme)

    found = {}
    for part in parts:
        person.go(f"/flows/{quote(flow, safe='')}{part}")
        person.page.get_by_role("navigation", name="Parts of the flow").wait_for()
        is_shown(person)
        found[part] = faults(person)

    assert {part: what for part, what in found.items() if what} == {}


@pytest.mark.usefixtures("filled")
def test_a_flow_shows_figures_that_go_on_while_it_runs(visit: Open, recording: Recording) -> None:
    person = visit("/flows/importing")
    person.page.locator("dl", has_text="Ended").get_by_text("2", exact=True).first.wait_for()

    recording.run("importing")

    person.page.locator("dl", has_text="Ended").get_by_text("3", exact=True).first.wait_for()
    assert person.page.get_by_role("region", name="Newest runs").get_by_role("listitem").count() == 3


@pytest.mark.usefixtures("filled")
def test_a_time_is_chosen_in_the_histogram_by_keys_and_stays_in_the_url(visit: Open) -> None:
    person = visit("/flows/training")
    histogram = person.page.get_by_role("listbox", name="How runs of training ended, over time")
    histogram.focus()

    person.page.keyboard.press("Home")
    person.page.keyboard.press("Enter")
    person.page.wait_for_url("**/flows/training?from=*&to=*")
    person.page.reload()

    chosen = person.page.get_by_role("region", name="Runs from")
    chosen.get_by_role("listitem").first.wait_for()
    chosen.get_by_role("button", name="Newest runs").click()
    person.page.wait_for_url("**/flows/training")


@pytest.mark.usefixtures("filled")
def test_slow_and_flaky_tasks_are_named(visit: Open) -> None:
    person = visit("/flows/importing?tab=tasks")

    row = person.page.get_by_role("region", name="Flakiest").get_by_role("row", name="check")
    row.wait_for()

    assert row.get_by_role("cell").first.inner_text().split()[0] == "2"


def test_a_declared_flow_shows_its_graph_and_types_once_its_code_is_loaded(
    visit: Open, recording: Recording, home: Path
) -> None:
    run_declared(home, recording)
    person = visit("/flows/nightly?tab=graph")

    person.page.get_by_role("button", name="Load the code").click()
    person.page.locator("[data-node]", has_text="day").first.wait_for()
    person.go("/flows/typed?tab=schema")
    person.page.get_by_role("row", name="options").get_by_text("any value").wait_for()
    person.page.get_by_role("button", name="Load the code").click()

    person.page.get_by_role("row", name="depth").get_by_text("a whole number").wait_for()


def test_code_that_cannot_be_loaded_is_told_in_the_servers_sentence(
    visit: Open, recording: Recording, home: Path
) -> None:
    script = run_declared(home, recording)
    script.write_text("import nosuchmodule\n")
    person = visit("/flows/nightly?tab=graph&of=loaded")
    person.expect_refusal(409)

    person.page.get_by_role("button", name="Load the code").click()

    person.page.get_by_role("alert").get_by_text("nosuchmodule").wait_for()


@pytest.mark.usefixtures("filled")
def test_a_viewer_is_offered_neither_to_run_nor_to_load(visit: Open, people: dict[str, str]) -> None:
    person = visit(as_owner=False)
    person.expect_refusal(401)
    person.log_in_as("viewer", people["viewer"])

    person.go("/flows/training?tab=schema")
    person.page.get_by_role("row", name="rows").wait_for()

    assert person.page.get_by_role("button", name="Load the code").count() == 0
    assert person.page.get_by_role("link", name="Run", exact=True).count() == 0


@pytest.mark.usefixtures("filled")
def test_an_operator_is_led_to_the_form_that_starts_a_run(visit: Open, recording: Recording) -> None:
    newest = recording.newest("training")
    person = visit("/flows/training")

    person.page.get_by_role("link", name="Run", exact=True).click()

    person.page.wait_for_url(f"**/runs/{newest.id}?again=1")


def test_a_flow_that_is_not_there_is_told_so(visit: Open) -> None:
    person = visit()
    person.expect_refusal(404)

    person.go("/flows/nosuch")

    person.page.get_by_text("There is no flow of this name.").wait_for()
