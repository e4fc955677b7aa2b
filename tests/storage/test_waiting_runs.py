"""What every store answers of background runs that wait for a worker."""

from __future__ import annotations

from typing import Any

from nadi.model.states import StateType
from nadi.storage.contract import Store
from tests.storage.telling import Writer, a_call, an_id, flow_begun

SCHEDULED, CRASHED = StateType.SCHEDULED, StateType.CRASHED


def asked(n: int, flow: str = "send", **given: Any) -> Any:
    fields = {"state": SCHEDULED, "state_name": "Scheduled", "flow": flow, "holder": "", "call": a_call("")}
    return flow_begun(an_id(n), **{**fields, **given})


def waiting(store: Store, *flows: str, state: StateType = SCHEDULED, after: str = "", limit: int = 9) -> list[str]:
    return [run.id for run in store.waiting_runs(flows, state=state, after=after, limit=limit)]


def test_background_runs_of_the_named_tasks_are_given_oldest_first(store: Store) -> None:
    Writer(store).tell(asked(3), asked(1), asked(2, "report"), asked(4, "other"))

    assert waiting(store, "send") == [an_id(1), an_id(3)]
    assert waiting(store, "send", "report") == [an_id(1), an_id(2), an_id(3)]
    assert waiting(store, "send", "report", limit=2) == [an_id(1), an_id(2)]
    assert waiting(store, "send", "report", after=an_id(1)) == [an_id(2), an_id(3)]


def test_runs_that_were_not_asked_for_by_a_call_of_a_task_are_left_out(store: Store) -> None:
    Writer(store).tell(asked(1, call=None), asked(2, state=StateType.RUNNING, state_name="Running"))

    assert waiting(store, "send") == []


def test_a_claimed_run_waits_no_more_and_keeps_its_attempt_and_function(store: Store) -> None:
    Writer(store).tell(asked(1))

    claim = store.claim(an_id(1), holder="worker", now=1.0, expected_token=1)

    assert (claim.attempt, claim.was) == (1, SCHEDULED)
    assert waiting(store, "send") == []
    store.end_attempt(an_id(1), token=claim.token, state=CRASHED, name="", message="Killed.", now=2.0)
    assert waiting(store, "send", state=CRASHED) == [an_id(1)]
    [run] = store.waiting_runs(["send"], state=CRASHED)
    assert run.function == a_call("").function
