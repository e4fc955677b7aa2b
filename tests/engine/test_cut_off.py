"""A run whose lease has run out while the store is away, as its deployment wants it."""

from __future__ import annotations

import pytest

from nadi.engine.clock import Clock
from nadi.engine.session import Session
from nadi.exceptions import CrashedRun
from nadi.storage.memory import MemoryStore
from nadi.storage.recorder import DirectRecorder


class Away(DirectRecorder):
    """The store has not answered for ages."""

    is_over = True

    def confirmed(self) -> float:
        return -1000.0

    def is_cut_off(self) -> bool:
        return self.is_over


def a_session() -> tuple[Session, Away]:
    recorder = Away(MemoryStore(), "test")
    return Session(recorder, Clock(), root="run", token=1, attempt=1), recorder


def test_a_run_that_may_go_on_while_it_is_cut_off_goes_on() -> None:
    session, _ = a_session()

    session.check()

    assert session.stopped is None


def test_a_run_that_may_not_stops_before_its_next_task_and_has_crashed() -> None:
    session, _ = a_session()
    session.stops_when_cut_off = True

    with pytest.raises(CrashedRun, match="when_cut_off = stop"):
        session.check()


def test_it_goes_on_while_its_lease_lasts() -> None:
    session, recorder = a_session()
    session.stops_when_cut_off, recorder.is_over = True, False

    session.check()

    assert session.stopped is None
