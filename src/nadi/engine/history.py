"""History: what an earlier attempt of a run recorded, and which of it stands for a call made now."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from nadi.engine.decisions import POSITION, Reuse, RunAgain, judge_record, why_no_match
from nadi.exceptions import MissingResult, NadiError
from nadi.model.records import CallKey
from nadi.model.results import ResultRef
from nadi.model.runs import FlowRun, TaskRun
from nadi.model.states import StateType

Recorded = TaskRun | FlowRun


class Match:
    """What a recorded call means for a call made now."""

    __slots__ = ("adopted", "reused", "value", "why")

    def __init__(self, *, reused: Recorded | None, adopted: Recorded | None, value: Any, why: str) -> None:
        #: The record whose outcome stands; its value or exception is `value`.
        self.reused = reused
        #: The record that the call takes up again.
        self.adopted = adopted
        self.value = value
        #: Why it runs again, for people; "" when there is nothing to say.
        self.why = why


class History:
    """Recorded calls of one root run, to be matched with the calls of its new attempt. Thread-safe."""

    def __init__(
        self,
        records: Iterable[Recorded],
        *,
        was: StateType,
        fetch: Callable[[ResultRef], Any],
        adopting: bool = True,
    ) -> None:
        """Take in the records.

        Args:
            records: Every task run and subflow run below the root, in the order they were made.
            was: The state that the root run was claimed from.
            fetch: Reads a kept value; raises MissingResult.
            adopting: Whether a call that runs again takes up its old record: so under a new claim. A retry
                within one claim makes new records, as a final state never changes.
        """
        self.was = was
        self._adopting = adopting
        self._fetch = fetch
        self._lock = threading.Lock()
        self._exact: dict[tuple[str, str, bytes, bytes, int], Recorded] = {}
        self._alike: defaultdict[tuple[str, str], list[Recorded]] = defaultdict(list)
        #: Scopes in which a call came from another thread or did not match: position serves there no more.
        self._out_of_order: set[str] = set()
        for record in records:
            key = (record.scope, record.function, record.code, record.inputs, record.occurrence)
            self._exact[key] = record
            self._alike[record.scope, record.function].append(record)

    def below(self, scope: str) -> list[TaskRun]:
        """Return the recorded task runs below a scope, for the far side that runs it again."""
        with self._lock:
            records = sorted(self._exact.values(), key=lambda record: record.id)
        inside = {scope}
        found: list[TaskRun] = []
        for record in records:
            if record.scope in inside and isinstance(record, TaskRun):
                inside.add(record.id)
                found.append(record)
        return found

    def match(self, call: CallKey, *, rerun: bool = False) -> Match:
        """Judge a call made now against what is recorded; each record serves one call."""
        key = (call.scope, call.function, call.code, call.inputs, call.occurrence)
        with self._lock:
            record = self._exact.pop(key, None)
            in_order = call.scope not in self._out_of_order and call.own_thread
            if record is None or not (call.own_thread and record.own_thread and record.position == call.position):
                self._out_of_order.add(call.scope)
                in_order = False
            if record is not None:
                self._alike[call.scope, call.function].remove(record)
        if record is None:
            with self._lock:
                candidates = list(self._alike[call.scope, call.function])
            return Match(reused=None, adopted=None, value=None, why=why_no_match(call.each, call.code, candidates))
        readable, value = self._read(record, in_order)
        verdict = judge_record(record, was=self.was, readable=readable, in_order=in_order, rerun=rerun)
        if isinstance(verdict, Reuse):
            return Match(reused=record, adopted=None, value=value, why="")
        return self._again(record, verdict)

    def _read(self, record: Recorded, in_order: bool) -> tuple[bool, Any]:
        if record.state_type not in (StateType.COMPLETED, StateType.FAILED) or record.result is None:
            return False, None
        if record.result.kind == "not_kept" or (record.certainty == POSITION and not in_order):
            return False, None
        try:
            return True, self._fetch(record.result)
        except (MissingResult, NadiError):
            return False, None

    def _again(self, record: Recorded, verdict: RunAgain) -> Match:
        adopted = record if verdict.adopt and self._adopting else None
        return Match(reused=None, adopted=adopted, value=None, why=verdict.why)
