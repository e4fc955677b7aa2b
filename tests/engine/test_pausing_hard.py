"""Pauses in a bad hour: answers at the last moment, waits that are given up, questions of yesterday, nonsense."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nadi import flow, pause_flow_run, resume_flow_run
from nadi.engine import pausing
from nadi.exceptions import CrashedRun, DefinitionError, InputRefused, StoreUnavailable, TimedOut
from nadi.model.pauses import Pause
from nadi.model.runs import RunFilter
from nadi.model.states import StateType
from nadi.storage.in_memory.inputs import MemoryInputTable
from tests.conftest import Recorded
from tests.engine.resuming import Here, a_home
from tests.engine.test_pausing import asked, beside, until


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with a_home(tmp_path / "home") as made:
        yield made


def pauses(recorded: Recorded) -> list[tuple[str, bool]]:
    return [(one.key, one.is_open) for one in recorded.store.inputs.pauses(recorded.root.id)]


def test_a_flow_that_gives_up_waiting_runs_on_and_is_asked_no_more(recorded: Recorded) -> None:
    states: list[Any] = []

    @flow
    async def waits() -> str:
        try:
            waiting: Any = pause_flow_run(wait_for_input=str, key="a")
            return str(await asyncio.wait_for(waiting, 0.05))
        except TimeoutError:
            states.append((recorded.root.state_type, pauses(recorded)))
            return "nobody was there"

    assert asyncio.run(waits()) == "nobody was there"
    assert states == [(StateType.RUNNING, [("a", False)])]


def test_after_its_own_timeout_a_flow_is_asked_what_it_asks_now(recorded: Recorded) -> None:
    keys = ["old", "new"]

    @flow(timeout_seconds=1, retries=1)
    def waits() -> tuple[str, int]:
        key = keys.pop(0)
        return key, pause_flow_run(int, key=key)

    with beside(waits) as got:
        asked(recorded, "new")
        resume_flow_run(recorded.root.id, 7)

    assert got == [("new", 7)]


def test_an_answer_goes_to_what_is_asked_now_and_not_to_what_an_earlier_attempt_asked(here: Here) -> None:
    keys = ["old", "new"]

    @flow
    def waits() -> int:
        return pause_flow_run(int, key=keys[0], timeout=None)

    def crashed(question: Any) -> bool:
        raise CrashedRun("The machine burnt down.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pausing._Question, "looked", crashed)
        waits(return_state=True)
    del keys[0]
    with beside(lambda: here.resume(waits)) as got:
        until(lambda: here.run.state_type is StateType.PAUSED)
        resume_flow_run(here.run.id, 7)

    assert got == [7]


def test_an_answer_that_was_taken_at_the_last_moment_counts(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = recorded.store.inputs
    taken: list[str] = []

    @flow
    def waits() -> int:
        return pause_flow_run(int, timeout=0.05)

    def answers_first(self: MemoryInputTable, run: str, key: str) -> Pause | None:
        found = looked_up(self, run, key)
        if found is not None and found.is_overdue(time.time()) and not taken:
            taken.append(inputs.answer(run, key, b"7", by="ada", now=found.deadline - 0.01))
        return found

    looked_up = MemoryInputTable.pause
    monkeypatch.setattr(MemoryInputTable, "pause", answers_first)

    assert waits() == 7
    assert taken == ["taken"]


def test_a_wrong_answer_at_the_last_moment_leaves_nothing_open(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = recorded.store.inputs
    taken: list[str] = []

    @flow
    def waits() -> str:
        try:
            return pause_flow_run(int, timeout=0.05)  # type: ignore[return-value]  # it never does
        except TimedOut:
            return "too late"

    def answers_first(self: MemoryInputTable, run: str, key: str) -> Pause | None:
        found = looked_up(self, run, key)
        if found is not None and found.is_overdue(time.time()) and not taken:
            taken.append(inputs.answer(run, key, b'"no number"', by="ada", now=found.deadline - 0.01))
        return found

    looked_up = MemoryInputTable.pause
    monkeypatch.setattr(MemoryInputTable, "pause", answers_first)

    assert waits() == "too late"
    assert pauses(recorded) == [("1", False)]


def test_a_refusal_that_cannot_be_kept_now_costs_the_run_nothing(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Even(msgspec.Struct):
        n: int

        def __post_init__(self) -> None:
            if self.n % 2:
                raise ValueError("it is odd")

    @flow
    def waits() -> Even:
        return pause_flow_run(Even)

    def away_once(self: MemoryInputTable, run: str, key: str, why: str) -> bool:
        monkeypatch.setattr(MemoryInputTable, "refuse", refuse)
        raise StoreUnavailable("The disk is asleep.")

    refuse = MemoryInputTable.refuse
    monkeypatch.setattr(MemoryInputTable, "refuse", away_once)
    with beside(waits) as got:
        asked(recorded)
        resume_flow_run(recorded.root.id, {"n": 1})
        until(lambda: asked(recorded).refused)
        resume_flow_run(recorded.root.id, {"n": 2})

    assert got == [Even(n=2)]


@pytest.mark.parametrize("given", [{"timeout": "5"}, {"timeout": math.inf}, {"timeout": math.nan}, {"timeout": 0}])
def test_a_time_to_wait_that_is_none_is_refused(recorded: Recorded, given: dict[str, Any]) -> None:
    @flow
    def waits() -> None:
        pause_flow_run(**given)

    with pytest.raises(DefinitionError, match="timeout is a number of seconds above 0"):
        waits()


@pytest.mark.parametrize("key", [5, "", " "])
def test_a_key_that_nobody_could_name_is_refused(recorded: Recorded, key: Any) -> None:
    @flow
    def waits() -> None:
        pause_flow_run(key=key)

    with pytest.raises(DefinitionError, match="key is a text"):
        waits()
    assert recorded.store.flow_runs(RunFilter(states=(StateType.PAUSED,)), limit=1) == []
    with pytest.raises(InputRefused):
        resume_flow_run(recorded.root.id)
