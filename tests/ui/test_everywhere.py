"""What holds for every page: it is accessible, fits its window, and nothing goes wrong in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from nadi.storage.sqlite import SqliteStore
from tests.server.serving import Served, serving
from tests.ui.browsing import Recording, Visit
from tests.ui.conftest import Open

RUN_PARTS = ("timeline", "graph", "tasks", "logs", "artifacts", "metrics", "attempts", "why")
PLACES = ("/", "/runs", "/flows", "/flows/training", "/settings", "/users", "/keys", "/audit", "/storage")


def is_shown(visit: Visit) -> None:
    """Wait until the page has a title and nothing is being loaded any more."""
    visit.page.get_by_role("heading", level=1).first.wait_for()
    visit.page.wait_for_function(
        "() => !document.querySelector('main [role=status] .sr-only')?.textContent.startsWith('Loading')"
    )


def faults(visit: Visit) -> list[str]:
    wider = visit.overflow()
    return visit.axe() + ([f"it is {wider} px wider than its window"] if wider else [])


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
@pytest.mark.usefixtures("filled")
def test_every_place_is_accessible_and_fits_its_window(visit: Open, width: int, theme: str) -> None:
    person = visit(width=width, theme=theme)

    found = {}
    for place in PLACES:
        person.go(place)
        is_shown(person)
        found[place] = faults(person)

    assert {place: what for place, what in found.items() if what} == {}


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
@pytest.mark.parametrize("flow", ["training", "odd '\"flow\"' 🦊 שלום"])
@pytest.mark.usefixtures("filled")
def test_every_part_of_a_run_is_accessible_and_fits_its_window(
    visit: Open, recording: Recording, width: int, theme: str, flow: str
) -> None:
    run = recording.newest(flow)
    person = visit(width=width, theme=theme)

    found = {}
    for part in RUN_PARTS:
        person.go(f"/runs/{run.id}/{part}")
        is_shown(person)
        found[part] = faults(person)

    assert {part: what for part, what in found.items() if what} == {}


def test_an_empty_store_is_told_on_every_page(visit: Open) -> None:
    person = visit()

    for place in PLACES:
        if place == "/flows/training":
            continue
        person.go(place)
        is_shown(person)
        assert faults(person) == [], place


def test_the_login_page_is_accessible(visit: Open) -> None:
    person = visit(as_owner=False)
    person.go("/login")

    person.page.get_by_label("Password").wait_for()

    assert faults(person) == []


def test_an_address_that_leads_nowhere_says_so(visit: Open) -> None:
    person = visit()
    person.expect_refusal(404)

    person.go("/nowhere")

    person.page.get_by_text("There is nothing at this address.").wait_for()


def test_whoever_is_not_logged_in_comes_back_to_where_they_wanted_to_go(
    visit: Open, people: dict[str, str], served: Served
) -> None:
    person = visit(as_owner=False)
    person.expect_refusal(401)

    person.go("/flows?text=a")
    person.page.wait_for_url("**/login?next=*")
    person.page.get_by_label("Name").fill("viewer")
    person.page.get_by_label("Password").fill(people["viewer"])
    person.page.get_by_role("button", name="Log in").click()

    person.page.wait_for_url(f"{served.url}/flows?text=a")


# -- keys and colours --


@pytest.mark.usefixtures("filled")
def test_the_palette_leads_to_a_run_by_keys_alone(visit: Open, recording: Recording) -> None:
    run = recording.newest("training")
    person = visit()
    person.page.get_by_role("heading", level=1).wait_for()

    person.page.keyboard.press("/")
    person.page.get_by_label("Search runs, flows and places").fill(run.name)
    listed = person.page.get_by_role("option", name=re.compile(f"^{re.escape(run.name)}"))
    listed.first.wait_for()
    while listed.first.get_attribute("aria-selected") != "true":
        person.page.keyboard.press("ArrowDown")
    person.page.keyboard.press("Enter")

    person.page.wait_for_url(f"**/runs/{run.id}*")


def test_keys_lead_to_places_and_are_listed(visit: Open) -> None:
    person = visit()
    person.page.get_by_role("heading", level=1).wait_for()

    person.page.keyboard.press("?")
    person.page.get_by_role("dialog", name="Keys").wait_for()
    told = person.page.get_by_role("dialog", name="Keys").inner_text()
    person.page.keyboard.press("Escape")
    person.page.keyboard.press("g")
    person.page.keyboard.press("f")

    person.page.wait_for_url("**/flows")
    assert "Go to Flows" in told


def test_colours_are_those_of_the_system_until_one_says_otherwise(visit: Open) -> None:
    person = visit(theme="dark")
    paper = "() => getComputedStyle(document.body).backgroundColor"
    dark = person.page.evaluate(paper)

    button = person.page.get_by_role("button", name="Colours: system")
    button.click()
    light = person.page.evaluate(paper)
    person.page.reload()
    person.page.get_by_role("button", name="Colours: light").wait_for()

    assert dark != light
    assert person.page.evaluate(paper) == light


# -- behind a proxy --


def test_below_a_base_path_everything_is_found(browser: Browser, home: Path) -> None:
    store = SqliteStore(home / "nadi.db")
    with serving(store, home, base_path="/team/nadi") as served:
        person = Visit(browser, served, width=1280, height=800, theme="light")
        person.log_in_as_owner()
        person.go("/runs")
        person.page.get_by_role("heading", name="Runs").wait_for()
        person.page.get_by_role("link", name="Flows").click()
        person.page.wait_for_url("**/team/nadi/flows")
        person.page.get_by_text("Live", exact=True).first.wait_for()
        person.close()
    store.close()
