"""What the first page shows: failures grouped by error, and runs that wait with their reasons."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest

from nadi.engine import failures, waiting
from nadi.model.ids import uuid7
from nadi.model.limits import SlotClaim
from nadi.model.records import InputAsked
from nadi.storage.contract import Store
from tests.server.serving import Served
from tests.storage.telling import T0, S, Writer, an_id, flow_begun, flow_moved, task_begun


def moment(at: float) -> str:
    return quote(datetime.fromtimestamp(at, UTC).isoformat())


_writers = count()


def tell(store: Store, *records: Any) -> None:
    Writer(store, f"writer-{next(_writers)}").tell(*records)


def fail(store: Store, n: int, message: str, *, flow: str = "etl", state: S = S.FAILED) -> None:
    tell(
        store,
        flow_begun(an_id(n), flow=flow, name=f"run-{n}", at=T0 + n),
        flow_moved(an_id(n), state, at=T0 + n + 1, message=message),
    )


# -- failures --


def test_runs_that_failed_alike_are_one_group(any_server: Served) -> None:
    store = any_server.context.store
    fail(store, 1, "row 812 has no price")
    fail(store, 2, "row 77 has no price")
    fail(store, 3, "Its process ended.", state=S.CRASHED)
    fail(store, 4, "fine", state=S.COMPLETED)
    fail(store, 5, "stopped", state=S.CANCELLED)

    found = any_server.client.get("/api/failures").json()

    assert found == {
        "groups": [
            {
                "flow": "etl",
                "state": "CRASHED",
                "message": "Its process ended.",
                "count": 1,
                "first": "2027-01-15T08:00:04Z",
                "last": "2027-01-15T08:00:04Z",
                "times": [int(T0) + 4],
                "runs": [{"id": an_id(3), "name": "run-3"}],
            },
            {
                "flow": "etl",
                "state": "FAILED",
                "message": "row 77 has no price",
                "count": 2,
                "first": "2027-01-15T08:00:02Z",
                "last": "2027-01-15T08:00:03Z",
                "times": [int(T0) + 3, int(T0) + 2],
                "runs": [{"id": an_id(2), "name": "run-2"}, {"id": an_id(1), "name": "run-1"}],
            },
        ],
        "runs": 3,
        "more_groups": 0,
        "looked_back_to": None,
    }


def test_failures_are_those_of_a_time_and_a_flow(any_server: Served) -> None:
    store = any_server.context.store
    for n in range(6):
        fail(store, n, f"error {'abcdef'[n]}", flow="etl" if n % 2 else "train")

    in_time = any_server.client.get(f"/api/failures?since={moment(T0 + 2)}&until={moment(T0 + 4)}").json()
    of_flow = any_server.client.get("/api/failures?flow=etl").json()

    assert [group["message"] for group in in_time["groups"]] == ["error d", "error c"]
    assert [group["message"] for group in of_flow["groups"]] == ["error f", "error d", "error b"]


def test_groups_beyond_the_limit_are_counted(any_server: Served) -> None:
    for n in range(5):
        fail(any_server.context.store, n, f"error {'abcdef'[n]}")

    found = any_server.client.get("/api/failures?limit=2").json()

    assert [group["message"] for group in found["groups"]] == ["error e", "error d"]
    assert (found["runs"], found["more_groups"]) == (5, 3)


def test_an_answer_that_does_not_reach_back_says_how_far_it_does(
    any_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "MOST_RUNS", 3)
    for n in range(5):
        fail(any_server.context.store, n, "boom")

    found = any_server.client.get("/api/failures").json()

    assert (found["groups"][0]["count"], found["runs"]) == (3, 3)
    assert found["looked_back_to"] == "2027-01-15T08:00:02Z"


def test_a_run_that_went_on_after_it_had_failed_is_no_failure(any_server: Served) -> None:
    store = any_server.context.store
    fail(store, 1, "boom")
    store.claim(an_id(1), holder="process-b", now=T0 + 10)

    assert any_server.client.get("/api/failures").json()["groups"] == []


# -- waiting --


def now_minus(seconds: float) -> float:
    return datetime.now(UTC).timestamp() - seconds


def begin(store: Store, n: int, state: S, *, ago: float, **given: Any) -> str:
    at = now_minus(ago)
    id = uuid7(at, n)
    tell(store, flow_begun(id, name=f"run-{n}", state=state, at=at, **given))
    return id


def waiting_of(server: Served, query: str = "") -> Any:
    return server.client.get(f"/api/waiting{query}").json()


def test_runs_that_have_not_begun_wait_and_those_that_are_late_are_first(any_server: Served) -> None:
    store = any_server.context.store
    begin(store, 1, S.SCHEDULED, ago=20, holder="")
    begin(store, 2, S.PENDING, ago=90)
    begin(store, 3, S.SCHEDULED, ago=600, holder="")
    begin(store, 4, S.RUNNING, ago=900)
    tell(store, flow_moved(begin(store, 5, S.RUNNING, ago=900), S.COMPLETED))

    found = waiting_of(any_server)

    assert [one["run"]["name"] for one in found["waiting"]] == ["run-3", "run-2", "run-1"]
    assert (found["more"], found["is_cut"]) == (0, False)
    late = [datetime.fromisoformat(one["late_from"]) < datetime.now(UTC) for one in found["waiting"]]
    assert late == [True, True, False]
    assert found["waiting"][0]["why"] == ["It waits to be started, since 10 min: no process has claimed it."]


def test_a_paused_run_waits_and_says_what_it_asks(any_server: Served) -> None:
    store = any_server.context.store
    id = begin(store, 1, S.RUNNING, ago=100)
    tell(
        store,
        flow_moved(id, S.PAUSED, at=now_minus(50), message="May it be published?"),
        InputAsked(root=id, token=1, at=now_minus(50), id=id, key="1", deadline=now_minus(10)),
    )

    [one] = waiting_of(any_server)["waiting"]

    assert one["run"]["state"] == "PAUSED"
    assert any("Pause 1 waits" in told for told in one["why"])
    assert datetime.fromisoformat(one["late_from"]) < datetime.now(UTC), "its deadline is over"


def test_a_run_of_which_a_subflow_run_is_paused_waits(any_server: Served) -> None:
    store = any_server.context.store
    id = begin(store, 1, S.RUNNING, ago=100)
    below = uuid7(now_minus(60), 2)
    tell(
        store,
        flow_begun(id, id=below, parent=id, flow="ask", name="below", at=now_minus(60)),
        flow_moved(id, S.PAUSED, id=below, at=now_minus(50)),
        InputAsked(root=id, token=1, at=now_minus(50), id=below, key="1"),
    )

    [one] = waiting_of(any_server)["waiting"]

    assert (one["run"]["id"], one["run"]["state"]) == (id, "RUNNING")
    assert any("Pause 1 of" in told for told in one["why"])


def test_a_run_in_line_for_a_limit_waits_but_not_one_whose_task_is(any_server: Served) -> None:
    store = any_server.context.store
    own, task = begin(store, 1, S.RUNNING, ago=100), begin(store, 2, S.RUNNING, ago=100)
    tell(store, task_begun(task, an_id(7), at=now_minus(50)))
    store.limits.set_limit("gpu", slots=1, decay=0.0, now=now_minus(60))
    for n, root, of in ((0, "", ""), (1, own, ""), (2, task, an_id(7))):
        claim = SlotClaim(
            id=f"claim-{n}",
            names=("gpu",),
            slots=1,
            holder="process-a",
            root=root,
            run=root,
            task=of,
            term=60.0,
            at=now_minus(40),
        )
        store.limits.claim_slots(claim, wait=True)

    [one] = waiting_of(any_server)["waiting"]

    assert one["run"]["id"] == own
    assert [told.partition(" of the limit")[0] for told in one["why"]] == ["It has been waiting for 1 slot"]


def test_waiting_runs_beyond_the_limit_are_counted(any_server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    store = any_server.context.store
    for n in range(5):
        begin(store, n, S.SCHEDULED, ago=600 - n, holder="")

    few = waiting_of(any_server, "?limit=2")
    monkeypatch.setattr(waiting, "MOST_WAITING", 3)
    cut = waiting_of(any_server)

    assert ([one["run"]["name"] for one in few["waiting"]], few["more"]) == (["run-0", "run-1"], 3)
    assert (len(cut["waiting"]), cut["is_cut"]) == (3, True)


def pause(store: Store, n: int, *, ago: float, deadline: float = 0.0) -> str:
    id = begin(store, n, S.RUNNING, ago=ago)
    asked = InputAsked(root=id, token=1, at=now_minus(ago - 1), id=id, key="1", deadline=deadline)
    tell(store, flow_moved(id, S.PAUSED, at=now_minus(ago - 1)), asked)
    return id


def test_a_pause_that_is_overdue_is_shown_before_runs_that_have_waited_longer(any_server: Served) -> None:
    store = any_server.context.store
    for n in range(4):
        pause(store, n, ago=900 - n, deadline=now_minus(-3_600) if n % 2 else 0.0)
    overdue = pause(store, 9, ago=100, deadline=now_minus(10))

    found = waiting_of(any_server, "?limit=1")

    assert [one["run"]["id"] for one in found["waiting"]] == [overdue]
    assert found["more"] == 4


def test_what_was_asked_before_a_run_began_again_makes_it_late_no_more(any_server: Served) -> None:
    store = any_server.context.store
    id = begin(store, 1, S.RUNNING, ago=900)
    tell(store, InputAsked(root=id, token=1, at=now_minus(800), id=id, key="1", deadline=now_minus(700)))
    tell(store, flow_moved(id, S.FAILED, at=now_minus(600)))
    token = store.claim(id, holder="process-b", now=now_minus(500)).token
    tell(store, flow_begun(id, token=token, attempt=2, at=now_minus(400)))
    tell(store, flow_moved(id, S.PAUSED, token=token, attempt=2, at=now_minus(300)))

    [one] = waiting_of(any_server)["waiting"]

    assert one["late_from"] is None


def in_line(store: Store, name: str, root: str, n: int) -> None:
    claim = SlotClaim(
        id=f"{name}-{n}", names=(name,), slots=1, holder="p", root=root, run=root, term=60.0, at=now_minus(40)
    )
    store.limits.claim_slots(claim, wait=True)


def test_a_run_in_line_is_found_behind_any_number_of_newer_ones_that_run(
    any_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST_RUNNING", 2)
    store = any_server.context.store
    store.limits.set_limit("gpu", slots=0, decay=0.0, now=now_minus(900))
    old = begin(store, 1, S.RUNNING, ago=900)
    for n in range(2, 6):
        begin(store, n, S.RUNNING, ago=500 - n)
    in_line(store, "gpu", old, 1)

    found = waiting_of(any_server)

    assert [one["run"]["id"] for one in found["waiting"]] == [old]
    assert not found["is_cut"]


def test_an_answer_that_leaves_out_runs_in_line_says_so(any_server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST_RUNNING", 1)
    monkeypatch.setattr(waiting, "MOST_LOOKED_UP", 1)
    store = any_server.context.store
    store.limits.set_limit("gpu", slots=0, decay=0.0, now=now_minus(900))
    for n in range(3):
        in_line(store, "gpu", begin(store, n, S.RUNNING, ago=100 - n), n)

    found = waiting_of(any_server)

    assert (len(found["waiting"]), found["is_cut"]) == (2, True)


def test_an_answer_that_leaves_out_runs_with_paused_subflow_runs_says_so(
    any_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST_RUNNING", 1)
    monkeypatch.setattr(waiting, "MOST_LOOKED_UP", 1)
    store = any_server.context.store
    for n in range(3):
        id = begin(store, n, S.RUNNING, ago=100 - n)
        below = uuid7(now_minus(60), 10 + n)
        tell(store, flow_begun(id, id=below, parent=id, flow="ask", at=now_minus(60)))
        tell(store, flow_moved(id, S.PAUSED, id=below, at=now_minus(50)))

    assert waiting_of(any_server)["is_cut"]


def test_the_line_of_a_limit_is_read_once_however_many_runs_wait(
    any_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = any_server.context.store
    store.limits.set_limit("gpu", slots=1, decay=0.0, now=now_minus(900))
    holder = begin(store, 0, S.RUNNING, ago=900)
    in_line(store, "gpu", holder, 0)
    for n in range(1, 6):
        in_line(store, "gpu", begin(store, n, S.RUNNING, ago=100 - n), n)
    reads: list[Any] = []
    whole = store.limits.claims

    def counted(**which: Any) -> list[SlotClaim]:
        reads.append(which)
        return whole(**which)

    monkeypatch.setattr(store.limits, "claims", counted)

    found = waiting_of(any_server)["waiting"]

    assert len(reads) == 1
    told = [why for one in found for why in one["why"]]
    assert sorted(why.rpartition("; ")[2] for why in told)[:4] == [f"{n} came earlier." for n in range(1, 5)]
    assert all("by run-0 (process p)" in why for why in told)


def test_a_run_of_which_very_many_tasks_wait_is_explained_in_a_few_sentences(any_server: Served) -> None:
    store = any_server.context.store
    store.limits.set_limit("gpu", slots=0, decay=0.0, now=now_minus(900))
    id = begin(store, 1, S.RUNNING, ago=100)
    for n in range(waiting.MOST_REASONS + 5):
        in_line(store, "gpu", id, n)

    [one] = waiting_of(any_server)["waiting"]

    assert len(one["why"]) == waiting.MOST_REASONS


def test_nothing_waits_where_nothing_runs(any_server: Served) -> None:
    assert waiting_of(any_server) == {"waiting": [], "more": 0, "is_cut": False}
