"""The metrics of a run in the browser: charts that grow, several runs, and what the URL keeps."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from nadi.model.records import MetricLogged
from nadi.storage.sqlite import SqliteStore
from tests.storage.telling import T0, Writer, an_id, flow_begun, metric_logged
from tests.ui.conftest import Open

RUN, OTHER = an_id(1), an_id(2)


@pytest.fixture
def writer(home: Path) -> Iterator[Writer]:
    """A process that tells the store of the test what a run does."""
    store = SqliteStore(home / "nadi.db")
    made = Writer(store, "teller")
    made.tell(flow_begun(RUN, name="first-try"))
    yield made
    store.close()


def values(run: str, key: str, *steps: int) -> list[MetricLogged]:
    return [metric_logged(run, key, math.exp(-n / 10), step=n, at=T0 + n) for n in steps]


def chart(page: Page, name: str) -> Locator:
    """A chart, as a screen reader has it; its description says what its lines come to."""
    return page.get_by_role("group", name=name, exact=True).and_(page.locator("[aria-roledescription='line chart']"))


def test_charts_are_by_prefix_and_grow_while_the_run_goes_on(visit: Open, writer: Writer) -> None:
    writer.tell(*values(RUN, "loss/a", *range(40)), *values(RUN, "loss/b", *range(40)), *values(RUN, "lr", 0))
    person = visit(f"/runs/{RUN}/metrics")
    page = person.page
    expect(chart(page, "loss")).to_have_accessible_description(re.compile("a: 40 values.*b: 40 values"))
    expect(chart(page, "loss").locator("canvas")).to_be_visible()

    writer.tell(*values(RUN, "loss/a", 40, 41), *values(RUN, "new", 0))

    expect(chart(page, "loss")).to_have_accessible_description(re.compile("a: 42 values.*b: 40 values"))
    expect(chart(page, "new")).to_be_visible()
    page.get_by_label("Charts").select_option("each")
    expect(chart(page, "loss/a")).to_be_visible()
    page.get_by_label("Filter metrics by name").fill("LOSS b")
    expect(chart(page, "loss/a")).to_have_count(0)
    page.reload()
    expect(chart(page, "loss/b")).to_be_visible()
    expect(chart(page, "loss/a")).to_have_count(0)
    assert person.axe() == []


def test_a_chart_is_read_by_keys_zoomed_and_shown_as_a_table(visit: Open, writer: Writer) -> None:
    writer.tell(*values(RUN, "loss", *range(100)))
    page = visit(f"/runs/{RUN}/metrics").page
    loss = chart(page, "loss")
    expect(loss.locator("canvas")).to_be_visible()

    loss.focus()
    loss.press("ArrowRight")
    loss.press("ArrowRight")
    expect(page.get_by_text("1: loss 0.90484")).to_be_attached()
    loss.press("+")
    page.wait_for_url(lambda url: "range=" in url)
    loss.press("0")
    page.wait_for_url(lambda url: "range=" not in url)
    box = loss.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 60, steps=4)
    page.mouse.up()
    page.wait_for_url(lambda url: "range=" in url)
    page.get_by_role("button", name="Show all again").click()
    page.wait_for_url(lambda url: "range=" not in url)
    page.get_by_role("button", name="Show as a table").click()
    expect(page.get_by_role("table", name="loss").get_by_role("row").nth(2)).to_contain_text("0.90484")


def test_runs_are_laid_over_one_another_as_the_url_says(visit: Open, writer: Writer) -> None:
    writer.tell(
        *values(RUN, "loss", *range(10)),
        flow_begun(OTHER, name="second-try", at=T0 + 100),
        *values(OTHER, "loss", *range(20)),
    )
    person = visit(f"/runs/{RUN}/metrics")
    page = person.page

    page.get_by_role("button", name="Add runs").click()
    page.get_by_role("listbox").get_by_role("option", name=re.compile("second-try")).click()
    page.wait_for_url(lambda url: f"with={OTHER}" in url)
    told = re.compile("first-try: 10 values.*second-try: 20 values")
    expect(chart(page, "loss")).to_have_accessible_description(told)
    page.reload()
    expect(chart(page, "loss")).to_have_accessible_description(told)
    page.get_by_role("button", name="Table", exact=True).click()
    expect(page.get_by_role("table", name="Metrics").get_by_role("row").nth(2)).to_contain_text("second-try")
    assert person.axe() == []
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    saved = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))

    assert len(saved) == 30
    assert (saved[10]["run_name"], saved[10]["metric"], saved[10]["step"], saved[10]["value"]) == (
        "second-try",
        "loss",
        "0",
        "1",
    )


def test_of_a_hundred_metrics_only_charts_that_are_seen_are_drawn(visit: Open, writer: Writer) -> None:
    for n in range(100):
        writer.tell(*values(RUN, f"metric-{n:03}", 0, 1, 2))
    person = visit(f"/runs/{RUN}/metrics", width=390)
    page = person.page

    expect(chart(page, "metric-000").locator("canvas")).to_be_visible()
    assert page.locator("canvas").count() < 12
    last = page.get_by_role("region", name="metric-099")
    last.scroll_into_view_if_needed()
    expect(last.locator("canvas")).to_be_visible()
    expect(page.get_by_role("region", name="metric-000").locator("canvas")).to_have_count(0)
    assert person.overflow() == 0
