"""Flows and history, as the API tells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from nadi.storage.contract import Store
from tests.server.serving import Served
from tests.storage.telling import S, Writer, an_id, flow_begun, flow_moved

#: The beginning of a day.
DAY = datetime(2027, 1, 15, tzinfo=UTC)


def begin(store: Store, n: int, flow: str, at: datetime) -> None:
    writer = Writer(store, f"writer-of-{n}")
    writer.tell(flow_begun(an_id(n), flow=flow, at=at.timestamp()))
    if n % 2:
        writer.tell(flow_moved(an_id(n), S.COMPLETED, at=at.timestamp() + 1.5))


def moment(at: datetime) -> str:
    return quote(at.isoformat())


def test_flows_are_listed_by_name_in_pages(any_server: Served) -> None:
    store = any_server.context.store
    for n, flow in enumerate(("train", "etl", "a/b <script>", "train")):
        begin(store, n, flow, DAY + timedelta(seconds=n))

    first = any_server.client.get("/api/flows?limit=2").json()
    second = any_server.client.get("/api/flows?limit=2&after=etl").json()

    assert [flow["name"] for flow in first["flows"]] == ["a/b <script>", "etl"]
    assert first["next"] == "etl"
    assert second == {
        "flows": [
            {
                "name": "train",
                "newest": an_id(3),
                "newest_at": "2027-01-15T00:00:03Z",
                "runs": {"completed": 1, "running": 1},
                "seconds": {"completed": 1.5},
                "outcomes": [],
            }
        ],
        "next": "",
    }
    assert [flow["name"] for flow in any_server.client.get("/api/flows?text=RA").json()["flows"]] == ["train"]


def test_a_flow_is_shown_whatever_its_name_is(any_server: Served) -> None:
    begin(any_server.context.store, 1, "a/b <script>", DAY)

    assert any_server.client.get(f"/api/flows/{quote('a/b <script>', safe='')}").json()["runs"] == {"completed": 1}


def test_a_flow_that_is_not_there_is_not_found(any_server: Served) -> None:
    answer = any_server.client.get("/api/flows/nothing")

    assert (answer.status, answer.json()["detail"]) == (404, "There is no flow 'nothing' with runs.")


def test_history_has_the_hours_in_which_runs_were_made(any_server: Served) -> None:
    begin(any_server.context.store, 1, "etl", DAY + timedelta(minutes=5))
    begin(any_server.context.store, 2, "train", DAY + timedelta(hours=3))

    given = f"since={moment(DAY)}&until={moment(DAY + timedelta(days=1))}"
    hours = any_server.client.get(f"/api/history?{given}").json()
    days = any_server.client.get(f"/api/history?{given}&bucket=day").json()
    of_flow = any_server.client.get(f"/api/history?{given}&flow=train").json()

    assert hours == {
        "since": "2027-01-15T00:00:00Z",
        "until": "2027-01-16T00:00:00Z",
        "buckets": [
            {"start": "2027-01-15T00:00:00Z", "runs": {"completed": 1}, "seconds": 1.5},
            {"start": "2027-01-15T03:00:00Z", "runs": {"running": 1}, "seconds": 0.0},
        ],
    }
    assert days["buckets"] == [
        {"start": "2027-01-15T00:00:00Z", "runs": {"completed": 1, "running": 1}, "seconds": 1.5}
    ]
    assert [bucket["runs"] for bucket in of_flow["buckets"]] == [{"running": 1}]


def test_history_is_of_the_last_day_unless_told_otherwise(any_server: Served) -> None:
    begin(any_server.context.store, 1, "etl", datetime.now(UTC) - timedelta(hours=2))
    begin(any_server.context.store, 2, "etl", datetime.now(UTC) - timedelta(days=3))

    found = any_server.client.get("/api/history").json()

    assert [bucket["runs"] for bucket in found["buckets"]] == [{"completed": 1}]


def test_a_history_that_is_too_long_is_refused_with_what_to_do(any_server: Served) -> None:
    answer = any_server.client.get("/api/history?since=2020-01-01T00:00:00Z")

    assert answer.status == 422
    assert answer.json()["detail"] == ("That is more than 750 buckets of one hour. Ask for a shorter time or for days.")
