"""Deployments, schedules and work over HTTP: who may change them, what is kept of it, and what is refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from nadi.exceptions import StoreReadOnly, ValueRefused
from nadi.model.access import Permission, Role
from nadi.model.ticks import BackfillState, BackfillStep
from nadi.model.work import NewRun
from nadi.storage.http.store import HttpStore, connect
from tests.server.people import add_key, add_user
from tests.server.serving import Served
from tests.storage.deploying import HOST, NIGHTLY, a_backfill, a_run, a_tick, a_version, every, firing
from tests.storage.telling import T0, S, an_id


def far(server: Served, *scopes: Permission, role: Role = Role.OPERATOR) -> HttpStore:
    """The store as somebody has it from afar, with a key of these scopes."""
    add_user(server, "ada", role)
    return connect(server.url, add_key(server, "ada", *scopes))


def test_a_key_that_only_records_runs_work_and_decides_nothing(server: Served) -> None:
    server.context.store.deployments.deploy(a_version(NIGHTLY, every()), now=T0)
    worker = far(server, Permission.READ, Permission.RECORD)

    worker.work.enqueue([a_run(1)])
    taken = worker.work.take("w1", host=HOST, queues=(), now=T0, limit=1)

    assert [work.run for work in taken] == [an_id(1)]
    for decide in (
        lambda: worker.deployments.deploy(a_version(digest="other"), now=T0),
        lambda: worker.deployments.roll_back(NIGHTLY, 1, now=T0),
        lambda: worker.deployments.set_paused(NIGHTLY, True, now=T0),
        lambda: worker.deployments.remove(NIGHTLY, now=T0),
        lambda: worker.schedules.set_paused(NIGHTLY, "", True, now=T0),
        lambda: worker.schedules.add_backfill(a_backfill()),
        lambda: worker.schedules.set_backfill_state(an_id(900), BackfillState.PAUSED, now=T0),
        lambda: worker.work.set_queue("default", paused=True, slots=None),
    ):
        with pytest.raises(StoreReadOnly):
            decide()
    worker.close()


def test_a_viewer_sees_deployments_and_starts_nothing(server: Served) -> None:
    server.context.store.deployments.deploy(a_version(NIGHTLY, every()), now=T0)
    viewer = far(server, role=Role.VIEWER)

    seen = viewer.deployments.deployment(NIGHTLY)

    assert seen is not None
    assert [one.deployment for one in viewer.schedules.schedules()] == [NIGHTLY]
    with pytest.raises(StoreReadOnly):
        viewer.work.enqueue([a_run(1)])
    with pytest.raises(StoreReadOnly):
        viewer.work.take("w1", host=HOST, queues=(), now=T0, limit=1)
    viewer.close()


def test_what_people_decide_of_deployments_is_kept_in_the_audit_log(server: Served) -> None:
    operator = far(server)

    operator.deployments.deploy(a_version(NIGHTLY, every(), digest="d1"), now=T0)
    operator.deployments.set_paused(NIGHTLY, True, now=T0)
    operator.schedules.set_paused(NIGHTLY, "", True, now=T0)
    operator.schedules.add_backfill(a_backfill())
    operator.schedules.set_backfill_state(an_id(900), BackfillState.CANCELLED, now=T0)
    operator.deployments.roll_back(NIGHTLY, 1, now=T0)
    operator.work.enqueue([a_run(1)])
    operator.work.set_queue("gpu", paused=True, slots=None)
    operator.deployments.remove(NIGHTLY, now=T0)
    operator.work.take("w1", host=HOST, queues=(), now=T0, limit=1)
    operator.close()

    found = server.client.get("/api/audit").json()
    assert {one["who"] for one in found} == {"ada"}
    told = [{name: value for name, value in one["detail"].items() if name != "key"} for one in found]
    assert [(one["action"], one["subject"], detail) for one, detail in zip(found, told, strict=True)][::-1] == [
        ("deploy", NIGHTLY, {"digest": "d1"}),
        ("pause_deployment", NIGHTLY, {"paused": True}),
        ("pause_schedule", NIGHTLY, {"schedule": "", "paused": True}),
        ("add_backfill", NIGHTLY, {"backfill": an_id(900), "since": T0 - 600, "until": T0}),
        ("change_backfill", an_id(900), {"state": "CANCELLED"}),
        ("roll_back_deployment", NIGHTLY, {"number": 1}),
        ("start_run", NIGHTLY, {"runs": [an_id(1)]}),
        ("set_queue", "gpu", {"paused": True, "slots": None}),
        ("remove_deployment", NIGHTLY, {}),
    ]


@pytest.mark.parametrize("way", ["asked for", "fired", "backfilled"])
def test_a_run_that_is_asked_for_from_afar_is_noted_as_such(server: Served, way: str) -> None:
    store = server.context.store
    store.deployments.deploy(a_version(NIGHTLY, every()), now=T0)
    store.schedules.add_backfill(a_backfill())
    operator = far(server)

    if way == "asked for":
        operator.work.enqueue([a_run(1)])
    elif way == "fired":
        operator.schedules.fire([firing(store, a_tick(1, a_run(1)))], now=T0)
    else:
        ticks = (a_tick(-5, a_run(1)),)
        operator.schedules.advance(BackfillStep(id=an_id(900), seen_decided=0, position=T0, ticks=ticks), now=T0)
    operator.close()

    assert store.flow_run(an_id(1)) is not None
    assert store.access.far_recorder(an_id(1)) == "ada"


def other(new: NewRun, *, record: dict[str, Any] | None = None, work: dict[str, Any] | None = None) -> NewRun:
    return NewRun(
        record=msgspec.structs.replace(new.record, **(record or {})),
        work=msgspec.structs.replace(new.work, **(work or {})),
    )


BAD_RUNS = {
    "an id that is none": a_run(1, run="../../etc"),
    "parameters that are no JSON": other(a_run(1), record={"parameters": b"{{{"}),
    "a run that runs already": other(a_run(1), record={"state": S.RUNNING}),
    "a run that somebody holds": other(a_run(1), record={"holder": "me"}),
    "a token that it cannot have": other(a_run(1), record={"token": 2}),
    "a subflow run": other(a_run(1), record={"parent": an_id(9)}),
    "work of another run": other(a_run(1), work={"run": an_id(2)}),
    "work that is under way": other(a_run(1), work={"worker": "w1"}),
    "work that is over": other(a_run(1), work={"open": False}),
    "a time beyond the calendar": other(a_run(1), work={"due": 1e300}),
    "a time that is no number": other(a_run(1), work={"due": float("nan")}),
    "a queue of two lines": other(a_run(1), work={"queue": "a\nb"}),
    "a key without an end": other(a_run(1), work={"key": "k" * 10_000}),
}


@pytest.mark.parametrize("what", BAD_RUNS)
@pytest.mark.parametrize("way", ["asked for", "fired"])
def test_a_run_that_cannot_be_meant_is_refused_whichever_way_it_comes(server: Served, what: str, way: str) -> None:
    store = server.context.store
    store.deployments.deploy(a_version(NIGHTLY, every()), now=T0)
    operator = far(server)

    fired = firing(store, a_tick(1, a_run(5)), a_tick(2, BAD_RUNS[what]))
    ask: dict[str, Callable[[], object]] = {
        "asked for": lambda: operator.work.enqueue([a_run(5), BAD_RUNS[what]]),
        "fired": lambda: operator.schedules.fire([fired], now=T0),
    }
    with pytest.raises(ValueRefused):
        ask[way]()
    operator.close()

    assert store.work.open_work() == []
    assert store.schedules.ticks(NIGHTLY) == []


def test_a_version_that_cannot_be_meant_is_refused(server: Served) -> None:
    operator, version = far(server), a_version()

    for wrong in (
        msgspec.structs.replace(version, deployment="other"),
        a_version("two\nlines"),
        a_version("n" * 1000),
        msgspec.structs.replace(version, created=float("inf")),
    ):
        with pytest.raises(ValueRefused):
            operator.deployments.deploy(wrong, now=T0)
    operator.close()

    assert server.context.store.deployments.deployments() == []


def test_who_waits_for_a_change_is_told_of_new_work_at_once(server: Served) -> None:
    waiting = far(server)
    before, told = waiting.last_change(), list[float]()

    def wait() -> None:
        waiting.wait_for_change(before, 20.0)
        told.append(time.monotonic())

    thread = threading.Thread(target=wait)
    thread.start()
    server.context.store.work.enqueue([a_run(1)])
    asked = time.monotonic()
    thread.join(30)
    waiting.close()

    assert told[0] - asked < 5.0


def test_lists_that_are_longer_than_a_page_come_whole(server: Served) -> None:
    store, operator = server.context.store, far(server)
    for n in range(130):
        store.deployments.deploy(a_version(f"d{n:03}", digest=str(n)), now=T0)
        store.deployments.deploy(a_version(NIGHTLY, digest=str(n)), now=T0)
    store.work.enqueue([a_run(n) for n in range(1, 1100)])

    assert [one.name for one in operator.deployments.deployments(limit=125)] == [f"d{n:03}" for n in range(125)]
    assert [one.number for one in operator.deployments.versions(NIGHTLY, limit=500)] == list(range(130, 0, -1))
    assert [work.run for work in operator.work.runs_of(NIGHTLY, limit=5000)] == [an_id(n) for n in range(1099, 0, -1)]
    operator.close()
