"""History: what an earlier attempt of a run recorded, and which of it stands for a call made now."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from nadi.engine.decisions import POSITION, Reuse, judge_record, why_no_match
from nadi.exceptions import MissingResult, NadiError
from nadi.model.records import CallKey
from nadi.model.results import ResultRef
from nadi.model.runs import FlowRun, TaskRun
from nadi.model.states import StateType

Recorded = TaskRun | FlowRun


class Match:
    """What a recorded call means for a call made now."""

    __slots__ = ("adopted", "asked", "instead_of", "reused", "value", "why")

    def __init__(
        self,
        *,
        reused: Recorded | None = None,
        adopted: Recorded | None = None,
        instead_of: tuple[str, ...] = (),
        value: Any = None,
        why: str = "",
        asked: bool = False,
    ) -> None:
        #: The record whose outcome stands; its value or exception is `value`.
        self.reused = reused
        #: The record that the call takes up again.
        self.adopted = adopted
        #: Ids of the records whose place a new one takes: what was finished below them stands for its calls.
        self.instead_of = instead_of
        self.value = value
        #: Why it runs again, for people; "" when there is nothing to say.
        self.why = why
        #: Whether it runs again because whoever resumes the run wants it.
        self.asked = asked


class History:
    """Recorded calls of one root run, to be matched with the calls of its new attempt. Thread-safe."""

    def __init__(
        self,
        records: Iterable[Recorded],
        *,
        was: StateType,
        fetch: Callable[[ResultRef], Any],
        crashed_since: int = 0,
        entered_again: str = "",
        adopting: bool = True,
        asked: Mapping[str, str] | None = None,
    ) -> None:
        """Take in the records.

        Args:
            records: Every task run and subflow run below the root, in the order they were made.
            was: The state that the root run was claimed from.
            fetch: Reads a kept value; raises MissingResult.
            crashed_since: Token of the first of the claims that crashed one after the other up to now: failures
                recorded under an older one were followed by a resume by hand, and are facts no more.
            entered_again: Id of the root run if it was in a retry of its own. What failed in a flow or task before such
                a retry is what the retry is there to make good, and no fact either.
            adopting: Whether a call that runs again takes up its old record: so under a new claim. A retry
                within one claim makes new records, as a final state never changes.
            asked: Ids of the records that are to run again, each with the reason; see `reruns.calls_to_rerun`.
        """
        self.was = was
        self._asked = asked or {}
        self._crashed_since = crashed_since
        self._adopting = adopting
        self._entered_again = {entered_again}
        self._fetch = fetch
        self._lock = threading.Lock()
        self._exact: dict[tuple[str, str, bytes, bytes, int], Recorded] = {}
        #: By scope, function and id: a map has a hundred thousand of a kind, and each is taken out once.
        self._alike: dict[str, dict[str, dict[str, Recorded]]] = {}
        #: By scope and position: what was recorded of the calls made there, oldest first.
        self._places: dict[tuple[str, int], list[Recorded]] = {}
        #: Scopes in which a call came from another thread or did not match: position serves there no more.
        self._out_of_order: set[str] = set()
        for record in records:
            self._exact[_key(record)] = record
            self._alike.setdefault(record.scope, {}).setdefault(record.function, {})[record.id] = record
            self._places.setdefault((record.scope, record.position), []).append(record)
            if (record.run_count if isinstance(record, FlowRun) else record.attempt) > 1:
                self._entered_again.add(record.id)

    def was_for(self, record: Recorded) -> StateType:
        """Return the state of the attempt that a record belongs to: the one before, or an older one."""
        if self.was is not StateType.CRASHED:
            return self.was
        if record.id in self._asked:
            return StateType.FAILED  # it is resumed by hand, with fresh retries
        is_past = record.token < self._crashed_since or record.scope in self._entered_again
        return StateType.FAILED if is_past else StateType.CRASHED

    def below(self, *scopes: str) -> list[TaskRun]:
        """Return the recorded task runs below scopes, for the far side that runs it again."""
        left, found = list(scopes), list[TaskRun]()
        with self._lock:
            while left:
                for alike in self._alike.get(left.pop(), {}).values():
                    inside = [record for record in alike.values() if isinstance(record, TaskRun)]
                    found += inside
                    left += (record.id for record in inside)
        return sorted(found, key=lambda record: record.id)

    def asked_of(self, records: Iterable[Recorded]) -> dict[str, str]:
        """Return why each of these records is to run again, by id; only of those that are."""
        return {record.id: self._asked[record.id] for record in records if record.id in self._asked}

    def match(self, call: CallKey, *, instead_of: tuple[str, ...] = (), rerun: bool = False) -> Match:
        """Judge a call made now against what is recorded; each record serves one call.

        Args:
            call: The call.
            instead_of: Records whose place the caller's record takes: their calls count as its own.
            rerun: Whether the task asks to run again whatever is recorded.
        """
        scopes = (call.scope, *instead_of)
        with self._lock:
            record = self._take_equal(call, scopes)
            in_order = call.scope not in self._out_of_order and call.own_thread
            if record is None or not (call.own_thread and record.own_thread and record.position == call.position):
                self._out_of_order.add(call.scope)
                in_order = False
            others = self._others_of_its_place(call, scopes, record)
            adopted = others[-1] if record is None and others and self._adopting else None
            if adopted is not None and adopted.state_type is StateType.COMPLETED:
                adopted = None
            if adopted is not None:
                self._exact.pop(_key(adopted), None)
                self._forget(adopted)
            candidates = [*others[-1:], *self._one_alike(call)] if record is None else []
        replaced = tuple(other.id for other in others if other is not adopted)
        if record is None:
            why = why_no_match(call.each, call.code, candidates)
            return Match(adopted=adopted, instead_of=replaced, why=why)
        readable, value = self._read(record, in_order)
        was, asked = self.was_for(record), self._asked.get(record.id, "")
        verdict = judge_record(record, was=was, readable=readable, in_order=in_order, rerun=rerun, asked=asked)
        if isinstance(verdict, Reuse):
            return Match(reused=record, value=value)
        if verdict.adopt and self._adopting:
            return Match(adopted=record, instead_of=replaced, why=verdict.why, asked=bool(asked))
        return Match(instead_of=(*replaced, record.id), why=verdict.why, asked=bool(asked))

    def _take_equal(self, call: CallKey, scopes: tuple[str, ...]) -> Recorded | None:
        for scope in scopes:
            record = self._exact.pop((scope, call.function, call.code, call.inputs, call.occurrence), None)
            if record is not None:
                self._forget(record)
                return record
        return None

    def _others_of_its_place(self, call: CallKey, scopes: tuple[str, ...], equal: Recorded | None) -> list[Recorded]:
        """Return what is recorded of this very place of the caller under other code, or never ran; oldest first.

        What ran with other inputs is no such call: what was done below it was done for those.
        """
        if equal is not None and equal.position != call.position:
            return []
        found = [
            record
            for scope in scopes
            for record in self._places.get((scope, call.position), ())
            if record.function == call.function and (record.inputs == call.inputs or not record.started)
        ]
        return sorted(found, key=lambda record: record.id)

    def _one_alike(self, call: CallKey) -> Iterable[Recorded]:
        return islice(self._alike.get(call.scope, {}).get(call.function, {}).values(), 1)

    def _forget(self, record: Recorded) -> None:
        self._alike[record.scope][record.function].pop(record.id, None)
        place = self._places[record.scope, record.position]
        if record in place:
            place.remove(record)

    def _read(self, record: Recorded, in_order: bool) -> tuple[bool, Any]:
        if record.state_type not in (StateType.COMPLETED, StateType.FAILED) or record.result is None:
            return False, None
        if record.result.kind == "not_kept" or (record.certainty == POSITION and not in_order):
            return False, None
        try:
            return True, self._fetch(record.result)
        except (MissingResult, NadiError):
            return False, None


def _key(record: Recorded) -> tuple[str, str, bytes, bytes, int]:
    return record.scope, record.function, record.code, record.inputs, record.occurrence
