"""The graph of a run: nodes, folding, keys, and what comes while one looks."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.browsing import Recording
from tests.ui.conftest import Open


def node(page: Page, name: str) -> Locator:
    """A node by what its name and states begin with."""
    return page.get_by_role("group", name="Graph of").get_by_role("button", name=re.compile(f"^{name}"))


@pytest.mark.usefixtures("filled")
def test_several_calls_are_one_node_that_lists_them_with_what_failed_first(visit: Open, recording: Recording) -> None:
    person = visit(f"/runs/{recording.newest('importing').id}/graph")

    node(person.page, r"check \(map\) ×8: Failed, 8.8, 1 failed").click()

    calls = person.page.get_by_role("table", name="Calls")
    expect(calls.get_by_role("row")).to_have_count(9)
    expect(calls.get_by_role("row").nth(1)).to_contain_text("check-3")
    assert person.axe() == []
    calls.get_by_text("check-3").click()
    person.page.wait_for_url(re.compile(r"[?&]task="))


def test_a_subflow_is_one_node_until_it_is_unfolded_and_stays_so_after_a_reload(
    visit: Open, recording: Recording
) -> None:
    recording.run("regions")
    person = visit(f"/runs/{recording.newest('regions').id}/graph")
    page = person.page

    sub = node(page, r"region \(subflow\) ×2: Completed, failed inside")
    expect(sub).to_be_visible()
    expect(node(page, "load")).to_have_count(0)
    page.get_by_role("button", name="Unfold region").click()

    expect(node(page, "load")).to_be_visible()
    expect(node(page, r"check \(map\) ×3: Failed")).to_have_count(2)
    assert person.axe() == []
    page.reload()
    expect(node(page, "load")).to_be_visible()
    node(page, "region").press("Space")
    expect(node(page, "load")).to_have_count(0)


def test_the_page_of_a_subflow_shows_what_it_made_alone(visit: Open, recording: Recording) -> None:
    recording.run("regions")
    person = visit(f"/runs/{recording.newest('regions').id}/graph")

    node(person.page, "region").click()
    person.page.get_by_role("table", name="Calls").get_by_role("link").first.click()

    expect(node(person.page, r"check \(map\) ×3: Failed, 3.3, 1 failed")).to_have_count(1)
    expect(node(person.page, "score")).to_have_count(0)
    expect(node(person.page, "region")).to_have_count(0)


@pytest.mark.usefixtures("filled")
def test_arrow_keys_go_along_links_and_enter_opens(visit: Open, recording: Recording) -> None:
    page = visit(f"/runs/{recording.newest('training').id}/graph").page

    node(page, "download").focus()
    page.keyboard.press("ArrowRight")
    expect(node(page, "fit")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(node(page, "choose")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(node(page, "fit")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("table", name="Calls").get_by_role("row")).to_have_count(5)
    page.keyboard.press("Escape")
    expect(page.get_by_role("table", name="Calls")).to_have_count(0)


@pytest.mark.usefixtures("filled")
def test_the_list_has_the_nodes_of_the_picture_and_search_goes_to_them(visit: Open, recording: Recording) -> None:
    person = visit(f"/runs/{recording.newest('training').id}/graph", width=390)
    page = person.page

    page.get_by_label("Find nodes by name").fill("fit")
    expect(page.get_by_text("1 match")).to_be_visible()
    page.get_by_role("button", name="As list").click()

    rows = page.get_by_role("table", name="Nodes of the graph").get_by_role("row")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("fit×4")
    assert person.overflow() == 0
    page.reload()
    expect(rows).to_have_count(2)


def test_a_graph_grows_and_changes_while_one_looks_without_a_reload(visit: Open, recording: Recording) -> None:
    recording.start("long_one:20.0")
    person = visit("/runs")
    page = person.page
    page.get_by_role("link", name=re.compile("^[a-z]+-[a-z]+-[0-9]+$")).first.click()
    page.get_by_role("link", name="Graph").click()
    page.evaluate("window.isSame = true")

    several = node(page, r"nap ×\d+: ")
    expect(several).to_be_visible()
    first = several.inner_text()
    expect(several).not_to_have_text(first)
    expect(node(page, r"nap ×\d\d: ")).to_be_visible()

    assert page.evaluate("window.isSame") is True
