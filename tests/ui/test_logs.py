"""The log of a run in the browser: its end, going back in it, what is new, search, links to lines, and files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from nadi.model.records import LogLine
from nadi.model.states import StateType
from nadi.storage.sqlite import SqliteStore
from tests.storage.telling import T0, Writer, an_id, flow_begun, flow_moved, log_line
from tests.ui.browsing import Visit
from tests.ui.conftest import Open

RUN = an_id(1)
#: What one reads in the middle of the log: lines that are loaded above it move it, and change nothing in what is seen.
SEEN = """log => {
    const box = log.getBoundingClientRect();
    return document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2).textContent;
}"""
LINES = 6_000


@pytest.fixture
def writer(home: Path) -> Iterator[Writer]:
    """A process that tells the store of the test what a run does."""
    store = SqliteStore(home / "nadi.db")
    yield Writer(store, "teller")
    store.close()


def line(n: int) -> LogLine:
    level = 40 if n % 1_000 == 500 else 20
    return log_line(RUN, f"line {n} of many", at=T0 + n / 100, level=level)


@pytest.fixture
def long_log(writer: Writer) -> None:
    """A run that goes on and has logged many lines."""
    writer.tell(flow_begun(RUN, name="talker"), *[line(n) for n in range(LINES)])


def log(page: Page) -> Locator:
    return page.get_by_role("log", name="Log lines")


def opened(visit: Open, query: str = "") -> Visit:
    person = visit(f"/runs/{RUN}/logs{query}")
    expect(log(person.page).locator("[data-number]").first).to_be_visible()
    return person


def number_of(page: Page, text: str) -> str:
    found = log(page).locator("[data-number]").filter(has_text=text).first.get_attribute("data-number")
    assert found is not None
    return found


@pytest.mark.usefixtures("long_log")
def test_a_log_opens_at_its_end_and_follows_it_each_line_once_and_in_order(visit: Open, writer: Writer) -> None:
    page = opened(visit).page
    expect(log(page).get_by_text(f"line {LINES - 1} of many")).to_be_in_viewport()
    expect(log(page)).to_have_attribute("aria-live", "polite")

    for n in range(LINES, LINES + 30, 3):
        writer.tell(*[line(k) for k in range(n, n + 3)])
    expect(log(page).get_by_text(f"line {LINES + 29} of many")).to_be_in_viewport()

    shown = [int(n) for n in re.findall(r"line (\d+) of many", log(page).inner_text())]
    assert shown == list(range(shown[0], LINES + 30))


@pytest.mark.usefixtures("long_log")
def test_who_reads_further_up_stays_there_is_told_of_new_lines_and_can_go_to_them(visit: Open, writer: Writer) -> None:
    page = opened(visit).page
    log(page).hover()
    page.mouse.wheel(0, -1_500)
    expect(page.get_by_role("button", name="Jump to the end")).to_be_visible()
    before = log(page).evaluate(SEEN)

    writer.tell(*[line(n) for n in range(LINES, LINES + 7)])

    pill = page.get_by_role("button", name="7 new lines")
    expect(pill).to_be_visible()
    expect(log(page)).to_have_attribute("aria-live", "off")
    assert log(page).evaluate(SEEN) == before
    pill.click()
    expect(log(page).get_by_text(f"line {LINES + 6} of many")).to_be_in_viewport()


@pytest.mark.usefixtures("long_log")
def test_the_first_line_the_end_and_the_next_error_are_a_key_away(visit: Open) -> None:
    page = opened(visit).page
    log(page).focus()

    page.keyboard.press("g")
    page.keyboard.press("g")
    expect(log(page).get_by_text("line 0 of many")).to_be_in_viewport()
    page.keyboard.press("e")
    expect(log(page).get_by_text("line 500 of many")).to_be_in_viewport()
    page.keyboard.press("e")
    expect(log(page).get_by_text("line 1500 of many")).to_be_in_viewport()
    page.keyboard.press("G")
    expect(log(page).get_by_text(f"line {LINES - 1} of many")).to_be_in_viewport()


@pytest.mark.usefixtures("long_log")
def test_a_search_is_done_by_the_server_stands_in_the_url_and_leads_from_one_to_the_next(visit: Open) -> None:
    page = opened(visit).page
    page.keyboard.press("/")
    page.keyboard.type("LINE 77")
    expect(page).to_have_url(re.compile(r"text=LINE(\+|%20)77"))
    expect(page.get_by_text("11 lines", exact=True)).to_be_visible()
    expect(log(page).locator("mark").first).to_have_text("line 77")

    page.get_by_role("button", name="Show the other lines too").click()
    expect(log(page).get_by_text("line 780 of many")).to_be_attached()
    page.get_by_role("button", name="Previous line with the text (N)").click()

    expect(page).to_have_url(re.compile("line=\\d+"))
    page.reload()
    expect(log(page).locator("[data-number]").filter(has_text="line 77").first).to_be_in_viewport()
    expect(page.get_by_label("Search in the log")).to_have_value("LINE 77")


@pytest.mark.usefixtures("long_log")
def test_a_level_is_chosen_with_the_number_of_its_lines(visit: Open) -> None:
    page = opened(visit).page

    page.get_by_label("Level").select_option(label="Errors (6)")

    expect(page.get_by_text("6 lines", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("level=ERROR"))
    assert re.findall(r"line (\d+) of", log(page).inner_text()) == ["500", "1500", "2500", "3500", "4500", "5500"]


@pytest.mark.usefixtures("long_log")
def test_a_link_leads_to_a_line_wherever_it_lies_and_marks_it(visit: Open) -> None:
    page = opened(visit, "?text=line+1234+").page
    number = number_of(page, "line 1234 of many")
    page.get_by_role("button", name=f"Link to line {number}").click()
    expect(page).to_have_url(re.compile(f"line={number}"))

    page.goto(page.url.replace("text=", "not="))

    marked = log(page).locator(f"[data-number='{number}']")
    expect(marked).to_be_in_viewport()
    expect(marked).to_have_class(re.compile("marked"))
    expect(log(page).get_by_text("line 1236 of many")).to_be_in_viewport()


@pytest.mark.usefixtures("long_log")
def test_all_lines_are_saved_whatever_is_shown_of_them(visit: Open, tmp_path: Path) -> None:
    page = opened(visit, "?level=ERROR").page
    page.get_by_role("button", name="Copy or save lines").click()

    with page.expect_download() as saved:
        page.get_by_role("menuitem", name="Save all lines as text").click()

    saved.value.save_as(tmp_path / "saved.txt")
    lines = (tmp_path / "saved.txt").read_text(encoding="utf-8").splitlines()
    assert saved.value.suggested_filename == "talker.txt"
    assert [int(n) for n in re.findall(r"line (\d+) of many", "\n".join(lines))] == list(range(LINES))
    assert lines[0] == "2027-01-15T08:00:00.000Z INFO     line 0 of many"


def test_colours_are_shown_what_cannot_be_seen_has_a_name_and_nothing_is_markup(visit: Open, writer: Writer) -> None:
    writer.tell(
        flow_begun(RUN, name="talker"),
        log_line(
            RUN, "\x1b[31mred\x1b[0m <b>not bold</b> \x00 \u202eturned https://example.com/a?b=1, javascript:alert(1)"
        ),
        log_line(RUN, "x" * 5_000),
        log_line(RUN, "two\nlines"),
        flow_moved(RUN, StateType.COMPLETED),
    )

    page = opened(visit).page

    expect(log(page).get_by_text("<b>not bold</b>")).to_be_visible()
    expect(log(page).get_by_text("red", exact=True)).to_have_class(re.compile("text-red"))
    expect(log(page).get_by_title("U+0000 NUL")).to_be_visible()
    expect(log(page).get_by_title("U+202E right-to-left override")).to_be_visible()
    expect(log(page).get_by_role("link")).to_have_count(1)
    expect(log(page).get_by_role("link")).to_have_attribute("rel", "noopener noreferrer")
    page.get_by_role("button", name="Show all (4,000 more characters)").click()
    expect(log(page).get_by_text("x" * 5_000)).to_be_visible()


def test_a_run_that_logged_nothing_says_so_and_lines_that_do_not_fit_can_be_had_back(
    visit: Open, writer: Writer
) -> None:
    writer.tell(flow_begun(RUN, name="silent"))
    page = visit(f"/runs/{RUN}/logs").page
    expect(page.get_by_text("Nothing is logged yet. Lines are shown as they come.")).to_be_visible()

    writer.tell(log_line(RUN, "the first"))
    expect(log(page).get_by_text("the first")).to_be_visible()

    page.get_by_label("Search in the log").fill("nowhere")
    expect(page.get_by_text("No line fits.")).to_be_visible()
    page.get_by_role("button", name="Show all lines").click()
    expect(log(page).get_by_text("the first")).to_be_visible()


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
@pytest.mark.usefixtures("long_log")
def test_a_log_is_accessible_and_fits_its_window(visit: Open, width: int, theme: str) -> None:
    person = visit(f"/runs/{RUN}/logs?text=line", width=width, theme=theme)
    expect(log(person.page).locator("mark").first).to_be_visible()

    assert (person.axe(), person.overflow()) == ([], 0)
