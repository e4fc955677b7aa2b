"""What is kept beside runs, through the API: variables, limits, the cache."""

from __future__ import annotations

from typing import Any

import pytest

from nadi.model.limits import SlotClaim
from nadi.model.results import ResultRef
from nadi.storage.contracts.cache import CacheEntry
from tests.server.serving import Answer, Client, Served
from tests.storage.telling import T0, Writer, an_id, flow_begun

ROOT = an_id(1)


@pytest.fixture
def client(any_server: Served) -> Client:
    return any_server.client


def refused(answer: Answer, status: int, error: str) -> None:
    assert (answer.status, answer.json()["error"]) == (status, error), answer.body


# -- variables --


@pytest.mark.parametrize("value", [None, 1, "text", [1, {"a": None}], 123456789012345678901234567890, "<script>", ""])
def test_a_variable_is_kept_shown_changed_and_forgotten(client: Client, value: Any) -> None:
    client.put("/api/variables/batch-size", {"value": 1})

    kept = client.put("/api/variables/batch-size", {"value": value, "tags": ["nightly"]})
    shown = client.get("/api/variables/batch-size").json()
    gone = client.delete("/api/variables/batch-size")

    assert kept.status == 200
    assert (shown["name"], shown["value"], shown["tags"]) == ("batch-size", value, ["nightly"])
    assert gone.status == 204
    refused(client.delete("/api/variables/batch-size"), 404, "NotFound")


def test_variables_are_listed_by_name_page_by_page(client: Client) -> None:
    for name in ("b", "a", "c"):
        client.put(f"/api/variables/{name}", {"value": name})

    first = client.get("/api/variables?limit=2").json()
    rest = client.get(f"/api/variables?limit=2&after={first['next']}").json()

    assert [one["name"] for one in first["variables"] + rest["variables"]] == ["a", "b", "c"]
    assert rest["next"] == ""


@pytest.mark.parametrize("name", ["Upper", "with%20space", "x" * 256, "%3Cscript%3E", "a%2Fb"])
def test_a_name_that_no_variable_has_is_refused(client: Client, name: str) -> None:
    refused(client.put(f"/api/variables/{name}", {"value": 1}), 422, "ValueRefused")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"tags": []}', b'{"value": 1, "tags": "x"}', b"null", b"\xff"])
def test_a_body_that_is_no_variable_is_refused_with_a_sentence(client: Client, body: bytes) -> None:
    answer = client.put("/api/variables/x", data=body, headers={"Content-Type": "application/json"})

    assert answer.status in (400, 422)
    assert answer.json()["detail"].endswith(".")
    assert client.get("/api/variables").json()["variables"] == []


def test_a_value_that_is_too_large_is_refused(client: Client) -> None:
    refused(client.put("/api/variables/x", {"value": "x" * 70_000}), 422, "ValueRefused")


# -- limits --


def test_a_limit_is_made_shown_with_who_holds_and_waits_and_removed(client: Client, any_server: Served) -> None:
    store = any_server.context.store
    made = client.put("/api/concurrency-limits/database", {"slots": 1, "decay": 0.5})
    Writer(store).tell(flow_begun(ROOT, name="owl"))
    for n in (1, 2):
        claim = SlotClaim(
            id=an_id(60 + n),
            names=("database",),
            slots=1,
            holder=any_server.context.holder.encode(),
            root=ROOT,
            run=ROOT,
            term=60.0,
            at=T0,
        )
        store.limits.claim_slots(claim, wait=True)

    [listed] = client.get("/api/concurrency-limits").json()
    shown = client.get("/api/concurrency-limits/database").json()
    gone = client.delete("/api/concurrency-limits/database")

    assert (made.status, made.json()["slots"], made.json()["used"]) == (200, 1, 0)
    assert listed == shown
    assert (shown["used"], len(shown["holders"]), len(shown["waiting"])) == (1, 1, 1)
    assert shown["holders"][0].startswith("owl (process")
    assert gone.status == 204
    refused(client.get("/api/concurrency-limits/database"), 404, "NotFound")
    refused(client.delete("/api/concurrency-limits/database"), 404, "NotFound")


@pytest.mark.parametrize("body", [{"slots": -1}, {"slots": "many"}, {"slots": 1, "decay": -1}, {}, {"slots": 2**40}])
def test_a_limit_that_cannot_be_is_refused(client: Client, body: dict[str, Any]) -> None:
    answer = client.put("/api/concurrency-limits/x", body)

    assert answer.status == 422
    assert client.get("/api/concurrency-limits").json() == []


def test_a_limit_has_a_name(client: Client) -> None:
    for name in ("x" * 300, "%20"):
        answer = client.put(f"/api/concurrency-limits/{name}", {"slots": 1})

        assert answer.status == 422, answer.body


# -- cache --


def entry(key: str, task: str, **given: Any) -> CacheEntry:
    fields: dict[str, Any] = {
        "result": ResultRef("inline", b"1", "", "pickle", 1, b"sign"),
        "root": ROOT,
        "token": 1,
        "run": ROOT,
        "task_run": an_id(11),
        "name": f"{task}-0",
        "created": T0,
    } | given
    return CacheEntry(key=key, task=task, **fields)


def test_entries_are_listed_newest_first_by_task_and_removed_by_key_and_task(
    client: Client, any_server: Served
) -> None:
    any_server.context.store.cache.put([entry("a", "load"), entry("b", "load"), entry("c", "train", expires=1.0)])

    first = client.get("/api/cache?limit=2").json()
    rest = client.get(f"/api/cache?limit=2&before={first['next']}").json()
    of_task = client.get("/api/cache?task=load").json()
    expired = client.delete("/api/cache?expired=true").json()
    by_key = client.delete("/api/cache?key=a&key=nosuch").json()
    all_of_it = client.delete("/api/cache?all=true").json()

    assert [one["key"] for one in first["entries"] + rest["entries"]] == ["c", "b", "a"]
    assert [one["key"] for one in of_task["entries"]] == ["b", "a"]
    assert (expired["removed"], by_key["removed"], all_of_it["removed"]) == (1, 1, 1)


def test_nothing_is_removed_that_was_not_named(client: Client, any_server: Served) -> None:
    any_server.context.store.cache.put([entry("a", "load")])

    refused(client.delete("/api/cache"), 422, "ValueRefused")
    refused(client.delete("/api/cache?all=true&task=load"), 422, "ValueRefused")

    assert len(client.get("/api/cache").json()["entries"]) == 1
