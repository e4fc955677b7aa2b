"""Deployments, schedules, backfills, queues and workers, through the API."""

from __future__ import annotations

import msgspec
import pytest

from nadi.model.schedules import CronRule, Schedule
from nadi.model.ticks import BackfillState
from nadi.model.work import WorkerSeen
from tests.server.serving import Answer, Client, Served
from tests.storage.deploying import NIGHTLY, a_version, every
from tests.storage.telling import T0

SCHEMA = {"properties": {"rows": {"type": "integer"}}, "required": [], "additionalProperties": False}


@pytest.fixture
def client(any_server: Served) -> Client:
    store = any_server.context.store
    version = a_version(NIGHTLY, Schedule(rule=CronRule(line="0 6 * * *"), name="morning"), every(3600.0, "hourly"))
    store.deployments.deploy(version, now=T0)
    return any_server.client


def refused(answer: Answer, status: int, error: str) -> None:
    assert (answer.status, answer.json()["error"]) == (status, error), answer.body


def test_a_deployment_is_listed_and_shown_with_what_its_version_says(client: Client) -> None:
    [listed] = client.get("/api/deployments").json()["deployments"]
    shown = client.get(f"/api/deployments/{NIGHTLY}").json()

    assert (listed["name"], listed["version"], listed["schedules"]) == (NIGHTLY, 1, ["morning", "hourly"])
    assert shown["deployment"] == listed
    assert shown["in_force"]["spec"]["entrypoint"] == "etl.py:etl"


def test_what_is_not_there_is_told_in_one_sentence(client: Client) -> None:
    for path in ("", "/versions", "/runs"):
        refused(client.get(f"/api/deployments/other{path}"), 404, "NotFound")
    refused(client.post("/api/deployments/other/runs", {}), 404, "NotFound")
    refused(client.post("/api/deployments/other/pause"), 404, "NotFound")
    refused(client.delete("/api/deployments/other"), 404, "NotFound")
    refused(client.post(f"/api/deployments/{NIGHTLY}/rollback", {"version": 7}), 404, "NotFound")
    refused(client.post(f"/api/deployments/{NIGHTLY}/schedules/pause", {"schedule": "evening"}), 404, "NotFound")
    refused(client.get("/api/backfills/nothing"), 404, "NotFound")


def test_a_run_that_is_asked_for_waits_for_a_worker(client: Client) -> None:
    made = client.post(f"/api/deployments/{NIGHTLY}/runs", {"parameters": {"rows": 7}, "tags": ["by-hand"]})

    assert made.status == 202, made.body
    run = made.json()
    assert (run["state"], run["flow"], run["parameters"], run["tags"]) == ("SCHEDULED", "etl", {"rows": 7}, ["by-hand"])
    [told] = client.get(f"/api/deployments/{NIGHTLY}/runs").json()
    assert (told["run"]["id"], told["work"]["worker"], told["work"]["open"]) == (run["id"], None, True)
    [queue] = client.get("/api/queues").json()
    assert (queue["name"], queue["due"], queue["running"]) == ("default", 1, 0)
    [work] = client.get("/api/work?waiting=true").json()
    assert work["run"] == run["id"]


def test_asking_twice_with_one_key_gives_one_run(client: Client) -> None:
    first = client.post(f"/api/deployments/{NIGHTLY}/runs", {"key": "monday"}).json()
    again = client.post(f"/api/deployments/{NIGHTLY}/runs", {"key": "monday"}).json()

    assert again["id"] == first["id"]
    assert len(client.get(f"/api/deployments/{NIGHTLY}/runs").json()) == 1


def test_parameters_that_the_flow_does_not_take_are_refused(any_server: Served) -> None:
    version = msgspec.structs.replace(a_version("strict"), schema=SCHEMA)
    any_server.context.store.deployments.deploy(version, now=T0)

    answer = any_server.client.post("/api/deployments/strict/runs", {"parameters": {"row": 7}})

    refused(answer, 422, "ValueRefused")
    assert "'row'; it has: rows." in answer.json()["detail"]
    assert any_server.client.get("/api/deployments/strict/runs").json() == []


def test_schedules_are_listed_with_their_next_instants_and_paused_one_by_one(client: Client) -> None:
    both = client.get(f"/api/schedules?deployment={NIGHTLY}&instants=3").json()
    paused = client.post(f"/api/deployments/{NIGHTLY}/schedules/pause", {"schedule": "hourly"}).json()
    hourly = client.get("/api/schedules?instants=3").json()[0]

    assert [(one["schedule"]["name"], len(one["instants"])) for one in both] == [("hourly", 3), ("morning", 3)]
    assert (paused["active"], paused["paused"], paused["next"]) == (False, True, None)
    assert (hourly["schedule"]["name"], hourly["instants"]) == ("hourly", [])
    assert client.post(f"/api/deployments/{NIGHTLY}/schedules/resume", {"schedule": "hourly"}).json()["active"]


def test_a_paused_deployment_fires_nothing_and_goes_on(client: Client) -> None:
    assert client.post(f"/api/deployments/{NIGHTLY}/pause").json()["paused"]
    assert {one["schedule"]["active"] for one in client.get("/api/schedules").json()} == {False}
    assert not client.post(f"/api/deployments/{NIGHTLY}/resume").json()["paused"]
    assert {one["schedule"]["active"] for one in client.get("/api/schedules").json()} == {True}


def test_an_earlier_version_is_put_in_force_again(client: Client, any_server: Served) -> None:
    any_server.context.store.deployments.deploy(a_version(NIGHTLY, digest="b", queue="gpu"), now=T0 + 1)

    back = client.post(f"/api/deployments/{NIGHTLY}/rollback", {"version": 1}).json()

    assert (back["deployment"]["version"], back["deployment"]["newest"], back["deployment"]["queue"]) == (
        1,
        2,
        "default",
    )
    assert [one["number"] for one in client.get(f"/api/deployments/{NIGHTLY}/versions").json()] == [2, 1]


def test_a_removed_deployment_is_gone_and_what_waited_of_it_is_cancelled(client: Client) -> None:
    run = client.post(f"/api/deployments/{NIGHTLY}/runs", {}).json()["id"]

    assert client.delete(f"/api/deployments/{NIGHTLY}").status == 204

    assert client.get("/api/deployments").json()["deployments"] == []
    assert client.get(f"/api/flow-runs/{run}").json()["state"] == "CANCELLED"


def test_a_backfill_is_asked_for_paused_taken_up_again_and_cancelled(client: Client) -> None:
    asked = {
        "deployment": NIGHTLY,
        "schedule": "morning",
        "since": "2026-03-01T00:00:00Z",
        "until": "2026-03-11T00:00:00Z",
        "most_at_once": 2,
    }

    made = client.post("/api/backfills", asked)

    assert made.status == 201, made.body
    id = made.json()["id"]
    assert (made.json()["total"], made.json()["decided"], made.json()["state"]) == (10, 0, BackfillState.RUNNING)
    assert client.post(f"/api/backfills/{id}/pause").json()["state"] == "PAUSED"
    assert client.post(f"/api/backfills/{id}/resume").json()["state"] == "RUNNING"
    assert client.post(f"/api/backfills/{id}/cancel").json()["state"] == "CANCELLED"
    refused(client.post(f"/api/backfills/{id}/resume"), 422, "ValueRefused")
    assert [one["id"] for one in client.get(f"/api/backfills?deployment={NIGHTLY}").json()] == [id]


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"schedule": "evening"}, 404, "choose one of: 'morning', 'hourly'"),
        ({"schedule": ""}, 404, "has several schedules"),
        ({"until": "2026-03-01T01:00:00Z"}, 422, "has no instant between"),
        ({"schedule": "hourly", "until": "2126-03-01T00:00:00Z"}, 422, "more than 100,000 instants"),
        ({"schedule": "", "every": 1800}, 201, ""),
    ],
)
def test_a_backfill_that_could_not_be_meant_is_refused(
    client: Client, changes: dict[str, object], status: int, said: str
) -> None:
    asked = {
        "deployment": NIGHTLY,
        "schedule": "morning",
        "since": "2026-03-01T00:00:00Z",
        "until": "2026-03-02T00:00:00Z",
    }

    answer = client.post("/api/backfills", asked | changes)

    assert answer.status == status, answer.body
    assert said in answer.json().get("detail", "")


def test_a_queue_is_paused_and_limited_and_like_all_others_again(client: Client) -> None:
    assert client.put("/api/queues/gpu", {"paused": True, "slots": 2}).json() == {
        "name": "gpu",
        "paused": True,
        "slots": 2,
        "due": 0,
        "later": 0,
        "running": 0,
    }
    assert [one["name"] for one in client.get("/api/queues").json()] == ["gpu"]

    client.put("/api/queues/gpu", {})

    assert client.get("/api/queues").json() == []


def test_workers_are_listed_as_they_described_themselves(client: Client, any_server: Served) -> None:
    holder = "w|here|77|1|boot|pid:[1]"
    any_server.context.store.work.worker_began(
        WorkerSeen(holder=holder, name="alder", host="here", slots=4, launcher="process", started=T0)
    )

    [worker] = client.get("/api/workers").json()

    assert (worker["id"], worker["name"], worker["pid"], worker["slots"], worker["running"]) == ("w", "alder", 77, 4, 0)
