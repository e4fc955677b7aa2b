"""What runs told beside states, through the API: log lines, artifacts, metrics, events and assets."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import pytest

from nadi.engine.run_pages import MOST_BYTES
from nadi.engine.series import thinned
from nadi.storage.contract import Store
from tests.server.serving import Client, Served
from tests.storage.telling import (
    T0,
    Writer,
    an_id,
    artifact_made,
    asset_made,
    event_emitted,
    flow_begun,
    log_line,
    metric_logged,
)

ROOT, CHILD, TASK = an_id(1), an_id(2), an_id(11)
SCRIPT = "<script>alert('x')</script>"


@pytest.fixture
def served(any_server: Served) -> Served:
    Writer(any_server.context.store).tell(flow_begun(ROOT), flow_begun(ROOT, id=CHILD, parent=ROOT))
    return any_server


@pytest.fixture
def client(served: Served) -> Client:
    return served.client


@pytest.fixture
def store(served: Served) -> Store:
    return served.context.store


def tell(store: Store, *records: Any) -> None:
    Writer(store, "another").tell(*records)


def got(client: Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def texts(page: dict[str, Any]) -> list[str]:
    return [line["text"] for line in page["lines"]]


def test_the_newest_lines_are_given_and_the_reader_goes_back_and_follows_from_there(
    client: Client, store: Store
) -> None:
    tell(store, *[log_line(ROOT, str(n), at=T0 + n) for n in range(7)])
    logs = f"/api/flow-runs/{ROOT}/logs?limit=3"

    newest = got(client, logs)
    before = got(client, f"{logs}&before={newest['before']}")
    first = got(client, f"{logs}&before={before['before']}")
    Writer(store, "later").tell(log_line(ROOT, "new", at=T0 + 9))
    followed = got(client, f"{logs}&after={newest['after']}")

    assert [texts(page) for page in (newest, before, first, followed)] == [
        ["4", "5", "6"],
        ["1", "2", "3"],
        ["0"],
        ["new"],
    ]
    assert [page["more"] for page in (newest, before, first, followed)] == [True, True, False, False]
    assert first["before"] is None


def test_lines_bear_the_numbers_that_pages_take_and_a_page_tells_the_first_and_the_newest(
    client: Client, store: Store
) -> None:
    none = got(client, f"/api/flow-runs/{ROOT}/logs")
    tell(
        store,
        *[log_line(ROOT, str(n), level=20 + 10 * (n % 2)) for n in range(6)],
        log_line(ROOT, "of a subflow", run=CHILD),
        log_line(ROOT, "of a task", task=TASK),
    )
    logs = f"/api/flow-runs/{ROOT}/logs"

    everything = got(client, logs)["lines"]
    numbers = [line["number"] for line in everything]
    middle = got(client, f"{logs}?level=WARNING&limit=1&before={numbers[4]}")
    later = got(client, f"{logs}?after={numbers[4]}&limit=1")
    below = got(client, f"/api/flow-runs/{CHILD}/logs")
    of_task = got(client, f"{logs}?task={TASK}&text=nothing")

    assert (none["first"], none["last"]) == (0, 0)
    assert numbers == sorted(set(numbers))
    assert (texts(middle), texts(later)) == (["3"], ["5"])
    assert [(page["first"], page["last"]) for page in (middle, later)] == [(numbers[0], numbers[-1])] * 2
    assert (below["first"], below["last"]) == (numbers[6], numbers[6])
    assert (of_task["first"], of_task["last"]) == (numbers[7], numbers[7])


def test_lines_are_found_by_level_text_time_and_task(client: Client, store: Store) -> None:
    tell(
        store,
        log_line(ROOT, "begins", at=T0, level=10),
        log_line(ROOT, "Disk full", at=T0 + 10, level=40, task=TASK),
        log_line(ROOT, "disk free again", at=T0 + 20, run=CHILD),
    )

    def found(query: str, run: str = ROOT) -> list[str]:
        return texts(got(client, f"/api/flow-runs/{run}/logs?{query}"))

    assert found("") == ["begins", "Disk full", "disk free again"]
    assert found("level=ERROR") == ["Disk full"]
    assert found("text=DISK") == ["Disk full", "disk free again"]
    assert found("text=DISK&after=0&limit=1") == ["Disk full"]
    assert found("since=2027-01-15T08:00:05Z&until=2027-01-15T08:00:15Z") == ["Disk full"]
    assert found(f"task={TASK}") == ["Disk full"]
    assert found("", run=CHILD) == ["disk free again"]


def test_a_text_that_hardly_occurs_is_looked_for_in_pages_of_bounded_work(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nadi.engine.log_pages.WINDOW", 20)
    monkeypatch.setattr("nadi.engine.log_pages.PIECE", 10)
    tell(store, log_line(ROOT, "the needle"), *[log_line(ROOT, f"hay {n}") for n in range(50)])
    logs = f"/api/flow-runs/{ROOT}/logs?text=needle"

    pages = [got(client, logs)]
    while pages[-1]["more"]:
        pages.append(got(client, f"{logs}&before={pages[-1]['before']}"))

    assert [texts(page) for page in pages] == [[], [], ["the needle"]]


def test_both_directions_at_once_are_refused(client: Client) -> None:
    answer = client.get(f"/api/flow-runs/{ROOT}/logs?after=1&before=2")

    assert (answer.status, answer.json()["error"]) == (422, "ValueRefused")


def test_artifacts_are_listed_by_run_and_by_key_and_shown_as_json_text(client: Client, store: Store) -> None:
    tell(
        store,
        artifact_made(ROOT, an_id(21), key="report", kind="markdown", data=json.dumps(SCRIPT).encode()),
        artifact_made(ROOT, an_id(22), key="table", kind="table", data=b'[{"rows":123456789012345678901234567890}]'),
        artifact_made(ROOT, an_id(23), key="report", kind="markdown", run=CHILD, data=b'"again"'),
    )

    of_run = got(client, f"/api/flow-runs/{ROOT}/artifacts?limit=2")
    rest = got(client, f"/api/flow-runs/{ROOT}/artifacts?limit=2&after={of_run['next']}")
    of_child = got(client, f"/api/flow-runs/{CHILD}/artifacts")
    of_key = got(client, "/api/artifacts?key=report")
    little = got(client, f"/api/flow-runs/{ROOT}/artifacts?most=10")
    little_of_key = got(client, "/api/artifacts?key=report&most=10")
    one = client.get(f"/api/artifacts/{an_id(21)}")

    assert [each["id"] for each in of_run["artifacts"] + rest["artifacts"]] == [an_id(21), an_id(22), an_id(23)]
    assert of_run["artifacts"][1]["data"] == [{"rows": 123456789012345678901234567890}]
    assert [each["id"] for each in of_child["artifacts"]] == [an_id(23)]
    assert [each["data"] for each in of_key["artifacts"]] == [SCRIPT, "again"]
    assert [each["data"] for each in little["artifacts"]] == [None, None, "again"]
    assert [each["data"] for each in little_of_key["artifacts"]] == [None, "again"]
    assert [each["run"] for each in of_key["artifacts"]] == [ROOT, CHILD]
    assert (one.json()["data"], one.headers["content-type"]) == (SCRIPT, "application/json")
    assert one.headers["x-content-type-options"] == "nosniff"


def test_a_page_of_artifacts_ends_before_it_becomes_too_large(client: Client, store: Store) -> None:
    half = b'"' + b"x" * (MOST_BYTES * 6 // 10) + b'"'
    tell(store, *[artifact_made(ROOT, an_id(21 + n), data=half) for n in range(3)])
    tell_huge = artifact_made(ROOT, an_id(30), data=b'"' + b"x" * MOST_BYTES + b'"')
    Writer(store, "huge").tell(tell_huge)

    sizes, after = [], ""
    while True:
        page = got(client, f"/api/flow-runs/{ROOT}/artifacts?after={after}")
        sizes.append([each["data"] and len(each["data"]) for each in page["artifacts"]])
        after = page["next"]
        if not after:
            break

    assert sizes == [[len(half) - 2], [len(half) - 2], [len(half) - 2, None]]


@pytest.mark.parametrize(
    ("kind", "data", "name", "content"),
    [
        ("markdown", json.dumps(SCRIPT), "report.md", SCRIPT.encode()),
        ("table", '[{"a":1}]', "report.json", b'[{"a":1}]'),
        (
            "image",
            json.dumps({"media_type": "image/svg+xml", "base64": base64.b64encode(b"<svg onload=x>").decode()}),
            "report.svg",
            b"<svg onload=x>",
        ),
        (
            "image",
            json.dumps({"media_type": "text/html", "base64": base64.b64encode(b"<b>").decode()}),
            "report.bin",
            b"<b>",
        ),
    ],
)
def test_what_is_in_an_artifact_is_only_ever_saved_and_never_shown_by_a_browser(
    client: Client, store: Store, kind: str, data: str, name: str, content: bytes
) -> None:
    tell(store, artifact_made(ROOT, an_id(21), key='re"p\r\no/../rt', kind=kind, data=data.encode()))

    answer = client.get(f"/api/artifacts/{an_id(21)}/content")

    assert (answer.status, answer.body) == (200, content)
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_picture_that_nobody_signed_is_not_read(client: Client, store: Store) -> None:
    named = {"key": "../../etc/passwd", "size_bytes": 1, "signature": base64.b64encode(b"x" * 16).decode()}
    tell(store, artifact_made(ROOT, an_id(21), kind="image", data=json.dumps({"kept": named}).encode()))

    answer = client.get(f"/api/artifacts/{an_id(21)}/content")

    assert answer.status == 404
    assert answer.json()["error"] == "MissingResult"


def test_metrics_are_series_by_key_and_what_is_no_number_is_null(client: Client, store: Store) -> None:
    values = [1.0, math.nan, math.inf, 0.25]
    tell(
        store,
        *[metric_logged(ROOT, "loss", value, step=n) for n, value in enumerate(values)],
        metric_logged(ROOT, "accuracy", 0.5, run=CHILD, step=-1),
    )

    page = got(client, f"/api/flow-runs/{ROOT}/metrics")
    of_child = got(client, f"/api/flow-runs/{CHILD}/metrics")
    later = got(client, f"/api/flow-runs/{ROOT}/metrics?after={page['after']}")

    loss, accuracy = page["series"]
    assert [point[:2] for point in loss["points"]] == [[0, 1.0], [1, None], [2, None], [3, 0.25]]
    assert (loss["count"], loss["smallest"], loss["largest"], loss["last"]) == (4, 0.25, 1.0, 0.25)
    assert loss["mean"] == 0.625
    assert (accuracy["key"], accuracy["points"][0][:2]) == ("accuracy", [None, 0.5])
    assert [series["key"] for series in of_child["series"]] == ["accuracy"]
    assert (later["series"], later["more"]) == ([], False)


def test_a_long_series_is_thinned_out_and_keeps_its_extremes(client: Client, store: Store) -> None:
    values = [math.sin(n / 50) for n in range(1000)]
    values[333], values[777] = 100.0, -100.0
    tell(store, *[metric_logged(ROOT, "loss", value, step=n) for n, value in enumerate(values)])

    [loss] = got(client, f"/api/flow-runs/{ROOT}/metrics?points=50&key=loss")["series"]

    shown = {point[0]: point[1] for point in loss["points"]}
    assert len(shown) <= 50
    assert (shown[333], shown[777], shown[0], shown[999]) == (100.0, -100.0, values[0], values[999])
    assert loss["count"] == 1000


@pytest.mark.parametrize("count", [0, 1, 4, 5, 17, 1000])
@pytest.mark.parametrize("most", [4, 5, 100])
def test_a_thinned_series_is_in_order_no_longer_than_asked_for_and_has_both_ends(count: int, most: int) -> None:
    values = [float((n * 7919) % 101) for n in range(count)]

    places = thinned(values, most)

    assert places == sorted(set(places))
    assert len(places) == min(count, len(places)) <= max(most, 0)
    if count:
        assert (places[0], places[-1]) == (0, count - 1)
        assert max(values) == max(values[place] for place in places)


def test_events_are_listed_by_run_and_name_page_by_page(client: Client, store: Store) -> None:
    names = ["model.trained", "model.promoted", SCRIPT]
    tell(store, *[event_emitted(ROOT, an_id(40 + n), event=name) for n, name in enumerate(names)])

    first = got(client, "/api/events?limit=2")
    rest = got(client, f"/api/events?limit=2&before={first['next']}")
    models = got(client, f"/api/events?prefix=model.&run={ROOT}")
    of_child = got(client, f"/api/events?run={CHILD}")

    assert [one["event"] for one in first["events"] + rest["events"]] == names[::-1]
    assert [one["event"] for one in models["events"]] == ["model.promoted", "model.trained"]
    assert of_child["events"] == []
    assert client.get(f"/api/events?run={an_id(99)}").status == 404


def test_assets_are_listed_and_shown_with_lineage_and_materialisations(client: Client, store: Store) -> None:
    tell(
        store,
        asset_made(ROOT, an_id(50), "s3://lake/raw"),
        asset_made(ROOT, an_id(51), "s3://lake/clean", "s3://lake/raw"),
    )
    clean = "key=s3%3A%2F%2Flake%2Fclean"

    listed = got(client, "/api/assets?prefix=s3://lake")
    one = got(client, f"/api/assets/details?{clean}")
    made = got(client, f"/api/assets/materializations?{clean}")
    lineage = got(client, f"/api/assets/lineage?{clean}")

    assert {asset["key"] for asset in listed["assets"]} == {"s3://lake/raw", "s3://lake/clean"}
    assert one["key"] == "s3://lake/clean"
    assert [each["id"] for each in made["materializations"]] == [an_id(51)]
    assert lineage == {"upstream": [{"upstream": "s3://lake/raw", "downstream": "s3://lake/clean"}], "downstream": []}
    assert client.get("/api/assets/details?key=s3%3A%2F%2Fnone").status == 404
    assert client.get("/api/assets/details").status == 422
