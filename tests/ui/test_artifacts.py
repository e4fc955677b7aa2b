"""The artifacts of a run in the browser: each kind, live, and hostile ones as nothing but text."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from nadi.storage.sqlite import SqliteStore
from tests.storage.telling import T0, Writer, an_id, artifact_made, flow_begun, task_begun
from tests.ui.conftest import Open

RUN, TASK = an_id(1), an_id(2)

#: One red pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="

HOSTILE = """# Title

<script>alert(1)</script> <style>* {display: none}</style>
<iframe src="https://x.example"></iframe>
<form action="https://x.example"><input name="a"><button>press</button></form>
<p id="root" class="x" style="position: fixed" onclick="alert(1)" data-a="b">kept text</p>
<svg onload="alert(1)"><a xlink:href="javascript:alert(1)">x</a></svg>
<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>
<base href="https://x.example"><meta http-equiv="refresh" content="0"><link rel="stylesheet" href="//x.example">
<video src="https://x.example" autoplay></video><object data="x"></object>

[web](https://a.example/x) [mail](mailto:a@b.example) [bad](javascript:alert(1)) [own](/runs) [same](//a.example)
![curve](https://a.example/x.png) ![pixel](data:image/png;base64,PIXEL)

#### Far below

- [x] done

| a | b |
| --- | --- |
| שלום | 2 |

```html
<b>code</b>
```
""".replace("PIXEL", PIXEL)


@pytest.fixture
def writer(home: Path) -> Iterator[Writer]:
    """A process that tells the store of the test what a run does."""
    store = SqliteStore(home / "nadi.db")
    made = Writer(store, "teller")
    made.tell(flow_begun(RUN, name="maker"), task_begun(RUN, TASK, name="draw-0"))
    yield made
    store.close()


def made(n: int, kind: str, data: Any, **given: Any) -> Any:
    return artifact_made(RUN, an_id(n), kind=kind, data=json.dumps(data).encode(), **given)


def row(page: Page, text: str) -> Locator:
    return page.get_by_role("table", name="Artifacts").get_by_role("row").filter(has_text=text)


def test_hostile_markdown_becomes_text_and_asks_no_other_host(visit: Open, writer: Writer) -> None:
    writer.tell(made(20, "markdown", HOSTILE, key="hostile"))
    person = visit()
    asked: list[str] = []
    person.page.on("request", lambda request: asked.append(request.url))

    person.go(f"/runs/{RUN}/artifacts")
    text = person.page.get_by_role("article", name="hostile")
    expect(text.get_by_role("heading", name="Title")).to_be_visible()

    within = text.locator("[class*=markdown]")
    tags = "script, style, iframe, form, input, button, svg, math, base, meta, link, video, object, [id], [style]"
    expect(within.get_by_role("heading", name="Far below")).to_be_visible()
    assert within.locator(tags).count() == 0
    assert within.locator("[onclick], [onload], [onerror], [data-a]").count() == 0
    expect(within).to_contain_text("<script>alert(1)</script>")
    expect(within).to_contain_text("kept text")
    links = [(one.get_attribute("href"), one.get_attribute("rel")) for one in within.locator("a").all()]
    assert links == [
        ("https://a.example/x", "noopener noreferrer"),
        ("mailto:a@b.example", "noopener noreferrer"),
        ("https://a.example/x.png", "noopener noreferrer"),
    ]
    assert within.locator("img").count() == 1
    expect(within.get_by_text("☑ done")).to_be_visible()
    expect(within.locator("td").first).to_have_attribute("dir", "auto")
    expect(within.get_by_role("group", name="Code")).to_have_text("<b>code</b>\n")
    assert [url for url in asked if not url.startswith((person.served.url, "data:"))] == []
    assert person.axe() == []


def test_a_table_is_sorted_filtered_and_saved_as_its_url_says(visit: Open, writer: Writer) -> None:
    rows = [[n, f"name {n}", None if n % 7 == 0 else n / 8] for n in range(10_000)]
    rows[3][0] = 2**64 + 1
    writer.tell(made(20, "table", {"columns": ["n", "name", "share"], "rows": rows}, key="prices", task=TASK))
    page = visit(f"/runs/{RUN}/artifacts").page
    table = page.get_by_role("table", name="prices")

    expect(page.get_by_text("10,000 rows")).to_be_visible()
    table.get_by_role("button", name="n", exact=True).click()
    table.get_by_role("button", name="n", exact=True).click()
    expect(table.get_by_role("row").nth(1)).to_contain_text(str(2**64 + 1))
    assert table.get_by_role("row").count() < 100
    page.get_by_label("Filter rows of prices").fill("name 999")
    expect(page.get_by_text("25 of 10,000 rows")).to_be_visible()
    page.reload()
    expect(page.get_by_text("25 of 10,000 rows")).to_be_visible()
    expect(table.get_by_role("row").nth(1)).to_contain_text("9999")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    saved = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))

    assert download.value.suggested_filename == "prices.csv"
    assert saved[:2] == [["n", "name", "share"], ["9999", "name 9999", "1249.875"]]
    assert len(saved) == 26


def test_a_progress_moves_and_new_artifacts_come_without_a_reload(visit: Open, writer: Writer) -> None:
    writer.tell(made(20, "progress", 10.0, key="load"))
    page = visit(f"/runs/{RUN}/artifacts?artifact={an_id(20)}").page
    large = page.get_by_role("article", name="load").get_by_role("progressbar")
    expect(large).to_have_attribute("aria-valuetext", "10 %")

    writer.tell(made(20, "progress", 60.0, key="load", at=T0 + 9), made(21, "markdown", "# Done", key="report"))

    expect(large).to_have_attribute("aria-valuetext", "60 %")
    expect(row(page, "report")).to_be_visible()
    row(page, "report").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    page.wait_for_url(lambda url: f"artifact={an_id(21)}" in url)


def test_pictures_are_shown_by_their_bytes_and_those_of_other_hosts_are_links(visit: Open, writer: Writer) -> None:
    writer.tell(
        made(20, "image", {"media_type": "image/png", "size_bytes": 70, "base64": PIXEL}, key="pixel"),
        made(21, "image", {"url": "https://a.example/x.png"}, key="far"),
        made(22, "image", {"media_type": "text/html", "size_bytes": 8, "base64": PIXEL}, key="page"),
        made(23, "link", {"link": "javascript:alert(1)", "text": "Press"}, key="bad-link"),
    )
    page = visit(f"/runs/{RUN}/artifacts").page

    row(page, "pixel").click()
    expect(page.get_by_role("article", name="pixel").get_by_text("1 × 1")).to_be_visible()
    page.get_by_role("button", name="100 %").click()
    page.get_by_role("button", name="Larger (+)").click()
    expect(page.get_by_text("1 × 1, 200 %")).to_be_visible()
    row(page, "far").click()
    expect(page.get_by_role("link", name="https://a.example/x.png")).to_have_attribute("target", "_blank")
    row(page, "page").click()
    expect(page.get_by_text("A picture of the kind text/html is not shown.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save it").click()
    assert Path(download.value.path()).read_bytes() == base64.b64decode(PIXEL)
    row(page, "bad-link").click()
    expect(page.get_by_text("This address leads neither to the web nor to a mail")).to_be_visible()
    assert page.get_by_role("article").locator("a[href^='javascript']").count() == 0


def test_a_key_is_seen_over_runs_with_what_changed(visit: Open, writer: Writer) -> None:
    other = an_id(50)
    writer.tell(
        made(20, "markdown", "same\nold line\n", key="report"),
        flow_begun(other, name="later"),
        artifact_made(other, an_id(60), key="report", data=json.dumps("same\nnew line\n").encode(), at=T0 + 60),
    )
    page = visit(f"/runs/{other}/artifacts").page

    page.get_by_role("button", name="Over runs").click()
    page.get_by_role("button", name="Compare").click()

    changes = page.get_by_role("region", name="Changes")
    expect(changes.get_by_role("row").filter(has_text="taken away")).to_contain_text("old line")
    expect(changes.get_by_role("row").filter(has_text="added")).to_contain_text("new line")
    page.reload()
    expect(changes.get_by_role("row").filter(has_text="added")).to_contain_text("new line")


def test_a_narrow_window_shows_the_list_or_one_artifact(visit: Open, writer: Writer) -> None:
    writer.tell(
        made(20, "markdown", "# Report", key="report", task=TASK), made(21, "table", [{"a": "x" * 300}], key="wide")
    )
    person = visit(f"/runs/{RUN}/artifacts", width=390, theme="dark")
    page = person.page

    row(page, "wide").click()
    expect(page.get_by_role("table", name="wide")).to_be_visible()
    assert (person.overflow(), person.axe()) == (0, [])
    page.go_back()
    row(page, "report").click()
    expect(page.get_by_role("heading", name="Report", exact=True).last).to_be_visible()
    page.get_by_role("button", name="All artifacts").click()
    expect(row(page, "wide")).to_be_visible()
    assert (person.overflow(), person.axe()) == (0, [])
