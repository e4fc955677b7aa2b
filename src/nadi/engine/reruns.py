"""Running a run again from a task: which recorded call is meant, and which others depend on it.

A pure rule over what is recorded. It runs again, with all that it called; so does what took its outcome, and what
took theirs. Whoever called it is entered again, and what that had finished beside it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from nadi.exceptions import CallError, MissingResult
from nadi.model.fingerprints import ITEMS_BUDGET, Origin, fingerprints
from nadi.model.names import told_for_shell
from nadi.model.results import ResultRef
from nadi.model.runs import FlowRun, TaskRun
from nadi.model.text import one_line, shorten

Recorded = TaskRun | FlowRun


class Outcome(NamedTuple):
    """Short digests of what a call gave, as calls that took it bear them; `None` where one says nothing."""

    whole: bytes | None = None
    #: Of its items, where it gave a list.
    items: tuple[bytes | None, ...] = ()

    def was_taken_by(self, call: Recorded) -> bool:
        """Tell whether a call took it, one of its items, or of a map the item in its place."""
        taken = call.each.values()
        if self.whole is not None and self.whole in taken:
            return True
        index = call.map_index if isinstance(call, TaskRun) else -1
        if index >= 0:
            return index < len(self.items) and self.items[index] in taken
        return any(item in taken for item in self.items if item is not None)


#: Tells what a call gave.
Given = Callable[[Recorded], Outcome]


#: Fewest characters of an id that name a call, as for runs.
SHORTEST_ID = 4
#: The most calls that one sentence names.
MOST_NAMED = 12


def calls_meant(records: Sequence[Recorded], wanted: str, *, run: FlowRun) -> list[Recorded]:
    """Return the recorded calls that a person means.

    One by its id, a unique beginning of its id, or its name; or all calls of a task or subflow by the name of that.

    Raises:
        CallError: there is none, or several; the sentence lists them.
    """
    exact = [record for record in records if record.id == wanted]
    named = exact or [record for record in records if record.name == wanted]
    if len(named) == 1:
        return named
    of_task = [record for record in records if function_name(record) == wanted]
    if of_task:
        return of_task
    found = named or [one for one in records if len(wanted) >= SHORTEST_ID and one.id.startswith(wanted)]
    if len(found) == 1:
        return found
    name = told_for_shell(run.name, run.id)
    if found:
        several = ", ".join(f"{one_line(one.name, 60)} ({one.id})" for one in found[:MOST_NAMED])
        raise CallError(f"{shorten(wanted, 80)!r} means several calls of run {name}: {several}. Give an id.")
    known = dict.fromkeys(one_line(function_name(record), 60) for record in records)
    listed = ", ".join(list(known)[:MOST_NAMED]) + (" and others" if len(known) > MOST_NAMED else "")
    called = f"It called {listed}." if known else "It called nothing."
    raise CallError(f"Run {name} has no task {shorten(wanted, 80)!r} to run again from. {called}")


def function_name(record: Recorded) -> str:
    """Return the name of the task or flow that a call is of."""
    return record.flow if isinstance(record, FlowRun) else record.task


def calls_to_rerun(records: Iterable[Recorded], origins: Sequence[Recorded], *, given: Given) -> dict[str, str]:
    """Return the ids of the calls that run again, each with the reason.

    Args:
        records: Every task run and subflow run below the root.
        origins: Where to begin.
        given: Tells what a call gave, to find who took it as a plain value.
    """
    return _Reruns(records, given).of(origins)


class _Reruns:
    def __init__(self, records: Iterable[Recorded], given: Given) -> None:
        self._given = given
        self._by_id: dict[str, Recorded] = {}
        #: By scope: the calls that were made there.
        self._calls: dict[str, list[Recorded]] = {}
        #: By id: the calls that took its outcome as a future, or waited for it.
        self._takers: dict[str, list[Recorded]] = {}
        for record in records:
            self._by_id[record.id] = record
            self._calls.setdefault(record.scope, []).append(record)
            for id in record.upstream if isinstance(record, TaskRun) else ():
                self._takers.setdefault(id, []).append(record)
        #: By id: why it runs again, in the order found.
        self._found: dict[str, str] = {}
        #: Those of them of which all that they called runs again too.
        self._whole: set[str] = set()

    def of(self, origins: Sequence[Recorded]) -> dict[str, str]:
        left = [(record, f"asked to run again from {record.name}") for record in origins]
        while left:
            record, why = left.pop()
            if record.id in self._whole:
                continue
            self._whole.add(record.id)
            self._found.setdefault(record.id, why)
            left += [(call, why) for call in self._calls.get(record.id, ())]
            left += [(taker, why) for taker in self._takers_of(record)]
            for caller in self._callers(record):
                if caller.id not in self._found:
                    # What it gave may change with what it called; what else it called stands.
                    self._found[caller.id] = why
                    left += [(taker, why) for taker in self._takers_of(caller)]
        return self._found

    def _callers(self, record: Recorded) -> Iterable[Recorded]:
        caller = self._by_id.get(record.scope)
        while caller is not None:
            yield caller
            caller = self._by_id.get(caller.scope)

    def _takers_of(self, record: Recorded) -> list[Recorded]:
        later = [one for one in self._calls.get(record.scope, ()) if one.position > record.position]
        outcome = self._given(record) if later else Outcome()
        return [*self._takers.get(record.id, ()), *filter(outcome.was_taken_by, later)]


def what_was_given(fetch: Callable[[ResultRef], Any], origin: Callable[[Recorded], bytes]) -> Given:
    """Return what tells the digests that the outcome of a recorded call has as an input of others.

    Args:
        fetch: Reads a kept value; raises MissingResult.
        origin: Names what a call gave, for objects whose content is not cheap.
    """

    def given(record: Recorded) -> Outcome:
        if record.result is None or record.result.kind in ("none", "not_kept"):
            return Outcome()
        try:
            value = fetch(record.result)
        except MissingResult:
            return Outcome()
        if value is None or isinstance(value, bool):
            return Outcome()  # everybody has those; they do not tell where they came from
        known = origin(record)
        items = value[:ITEMS_BUDGET] if isinstance(value, list | tuple) else ()
        return Outcome(_digest(value, lambda one: known if one is value else None), tuple(map(_digest, items)))

    return given


def _digest(value: Any, origin: Origin = lambda _: None) -> bytes:
    return fingerprints({"": value}, origin)[1][""]
