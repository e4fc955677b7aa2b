"""Matching calls with what is recorded, without running anything."""

from __future__ import annotations

from typing import Any

import pytest

from nadi.engine.history import History, Match
from nadi.exceptions import MissingResult
from nadi.model.records import CallKey
from nadi.model.results import NO_VALUE, ResultRef
from nadi.model.runs import TaskRun
from nadi.model.states import StateType

CONTENT, PROVENANCE, POSITION = 0, 1, 2


def recorded(id: str, state: StateType = StateType.COMPLETED, **given: Any) -> TaskRun:
    fields: dict[str, Any] = {
        "root": "run",
        "run": "run",
        "task": "clean",
        "name": id,
        "attempt": 1,
        "token": 1,
        "state_type": state,
        "state_name": state.value.title(),
        "scope": "run",
        "function": "clean:flow.py",
        "code": b"code",
        "inputs": b"inputs",
        "result": NO_VALUE,
    } | given
    return TaskRun(id=id, **fields)


def call(**given: Any) -> CallKey:
    fields: dict[str, Any] = {
        "scope": "run",
        "function": "clean:flow.py",
        "code": b"code",
        "inputs": b"inputs",
        "certainty": CONTENT,
        "occurrence": 0,
        "position": 0,
    } | given
    return CallKey(**fields)


def fetch(ref: ResultRef) -> Any:
    if ref.key == "lost":
        raise MissingResult("It is not there any more.")
    return "value"


def history(*records: TaskRun, was: StateType = StateType.CRASHED, **given: Any) -> History:
    return History(records, was=was, fetch=fetch, **given)


def judged(match: Match) -> tuple[str, str]:
    what = "reused" if match.reused is not None else "adopted" if match.adopted is not None else "new"
    return what, match.why


def test_each_record_serves_one_call() -> None:
    past = history(recorded("a"))

    first, second = past.match(call()), past.match(call())

    assert judged(first) == ("reused", "")
    assert judged(second)[0] == "new"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"scope": "elsewhere"}, ""),
        ({"function": "train:flow.py"}, ""),
        ({"code": b"changed"}, "its code changed"),
        ({"inputs": b"changed", "each": {"x": b"2"}}, "its input changed: x"),
        ({"occurrence": 1}, None),
    ],
)
def test_scope_function_code_inputs_and_occurrence_all_have_to_be_equal(
    changed: dict[str, Any], why: str | None
) -> None:
    past = history(recorded("a"))

    match = past.match(call(**changed))

    assert judged(match) == ("new", match.why if why is None else why)


def test_what_never_ran_does_not_run_again_when_its_input_is_another() -> None:
    waited = recorded("a", StateType.CANCELLED, each={"x": b"1"})

    match = history(waited).match(call(inputs=b"changed", each={"x": b"2"}, position=1))

    assert judged(match) == ("new", "")


@pytest.mark.parametrize(
    ("state", "was", "what"),
    [
        (StateType.COMPLETED, StateType.CRASHED, "reused"),
        (StateType.COMPLETED, StateType.FAILED, "reused"),
        (StateType.COMPLETED, StateType.CANCELLED, "reused"),
        (StateType.FAILED, StateType.CRASHED, "reused"),
        (StateType.FAILED, StateType.FAILED, "adopted"),
        (StateType.FAILED, StateType.CANCELLED, "adopted"),
        (StateType.CRASHED, StateType.CRASHED, "adopted"),
        (StateType.CANCELLED, StateType.CRASHED, "adopted"),
        (StateType.PENDING, StateType.CRASHED, "adopted"),
    ],
)
def test_what_a_record_is_worth_depends_on_how_it_and_its_run_ended(
    state: StateType, was: StateType, what: str
) -> None:
    assert judged(history(recorded("a", state), was=was).match(call()))[0] == what


def test_a_failure_from_before_the_crashes_is_no_fact() -> None:
    past = history(recorded("a", StateType.FAILED, token=2), crashed_since=3)

    assert judged(past.match(call()))[0] == "adopted"


def test_a_failure_of_one_of_the_crashed_attempts_is_a_fact() -> None:
    past = history(recorded("a", StateType.FAILED, token=3), crashed_since=3)

    assert judged(past.match(call()))[0] == "reused"


def test_what_did_not_run_because_of_its_upstream_is_no_fact() -> None:
    past = history(recorded("a", StateType.FAILED, state_name="NotReady"))

    assert judged(past.match(call()))[0] == "adopted"


@pytest.mark.parametrize(
    "result", [None, ResultRef("not_kept", note="It is too odd."), ResultRef("file", key="lost")], ids=str
)
def test_a_record_whose_result_cannot_be_had_is_not_finished_and_makes_a_new_one(result: ResultRef | None) -> None:
    match = history(recorded("a", result=result)).match(call())

    assert match.adopted is None
    assert "its result" in match.why


def test_a_retry_within_one_claim_makes_new_records() -> None:
    past = history(recorded("a", StateType.FAILED), was=StateType.FAILED, adopting=False)

    assert judged(past.match(call()))[0] == "new"


def test_of_two_records_of_one_call_the_newer_counts() -> None:
    past = history(recorded("a", StateType.FAILED), recorded("b"))

    match = past.match(call())

    assert match.reused is not None
    assert match.reused.id == "b"


def position(n: int, inputs: bytes = b"inputs", **given: Any) -> CallKey:
    return call(certainty=POSITION, position=n, inputs=inputs, **given)


def test_position_serves_while_every_call_matches_in_order() -> None:
    past = history(
        *(recorded(str(n), certainty=POSITION, position=n, inputs=bytes([n])) for n in range(3)),
    )

    matches = [past.match(position(n, bytes([n]))) for n in range(3)]

    assert [judged(match)[0] for match in matches] == ["reused"] * 3


@pytest.mark.parametrize(
    "before",
    [call(inputs=b"other", position=0), call(position=1), call(position=0, own_thread=False)],
    ids=["did not match", "came at another place", "came from another thread"],
)
def test_position_serves_no_more_once_a_call_before(before: CallKey) -> None:
    past = history(recorded("a", position=0), recorded("b", certainty=POSITION, position=1, inputs=b"x"))
    past.match(before)

    assert judged(past.match(position(1, b"x")))[0] == "new"


def test_disorder_in_one_scope_is_none_in_another() -> None:
    past = history(recorded("a", scope="outer", certainty=POSITION))
    past.match(call(scope="inner", inputs=b"unknown"))

    assert judged(past.match(position(0, scope="outer")))[0] == "reused"


def test_below_a_scope_is_what_its_calls_called_too_in_the_order_it_was_made() -> None:
    past = history(
        recorded("1-outer"),
        recorded("2-inner", scope="1-outer"),
        recorded("3-other", inputs=b"else"),
        recorded("4-innermost", scope="2-inner", function="other:flow.py"),
        recorded("5-inner", scope="1-outer", inputs=b"else"),
    )

    below = past.below("1-outer")

    assert [record.id for record in below] == ["2-inner", "4-innermost", "5-inner"]


def test_thousands_of_calls_of_one_task_match_also_when_they_come_backwards() -> None:
    count = 5_000
    past = history(*(recorded(f"{n:06}", inputs=n.to_bytes(4, "big"), position=n) for n in range(count)))

    matches = [past.match(call(inputs=n.to_bytes(4, "big"), position=n)) for n in reversed(range(count))]

    assert all(match.reused is not None for match in matches)
