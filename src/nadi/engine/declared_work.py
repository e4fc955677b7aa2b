"""Task runs of declared graphs: submitted runs that ask a plan before they begin, and when they have their value.

A graph knows more of a task than a call does: which runs come before it without giving it anything, whether it runs at
all when one of them failed or was skipped, and where its value may be lying already. The plan of the task answers that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from nadi.engine.inputs import resolved
from nadi.engine.runs import Run
from nadi.engine.scope import Scope
from nadi.engine.steering import steering_of
from nadi.engine.work import SubmittedTaskRun
from nadi.executors.contract import Executor
from nadi.model.signals import given_by
from nadi.model.specs import TaskSpec
from nadi.model.states import State, StateType


class Plan(ABC):
    """What a declared task does beside running; one for all runs of a map. Asked from any thread."""

    @abstractmethod
    def verdict(self, run: PlannedTaskRun) -> State[Any] | None:
        """Say what becomes of a run when all runs before it are over. It must be quick and never raises.

        Returns:
            `None` lets it run. A final state ends it without running it, a PAUSED one puts it aside, and a PENDING
            one says that something before it was put aside.
        """

    @abstractmethod
    def known(self, run: PlannedTaskRun) -> State[Any] | None:
        """Return the state to end in where the value is known without running the task; asked before it runs."""

    @abstractmethod
    def prepared(self, bound: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments, futures replaced, as the function is to get them; what it raises fails the run."""

    @abstractmethod
    def made(self, run: PlannedTaskRun, value: Any) -> None:
        """Put away the value that a run gave, before the run is said to be over; what it raises fails the run."""


class PlannedTaskRun(SubmittedTaskRun):
    """One run of a declared task."""

    __slots__ = ("_admitted", "_before", "_is_resolved", "plan")

    def __init__(
        self,
        spec: TaskSpec,
        scope: Scope,
        bound: dict[str, Any],
        executor: Executor,
        *,
        before: tuple[Run, ...],
        inputs: Mapping[str, Any],
        plan: Plan,
        context: Mapping[str, Any],
        name: str,
        map_index: int = -1,
    ) -> None:
        """Accept the run.

        Args:
            spec: The task.
            scope: The scope of the flow run.
            bound: Its arguments by name; futures in them give what they came to, failures too.
            executor: Where it runs.
            before: The runs that must be over before it is asked whether it runs.
            inputs: What the call is known by on resume: more than the arguments, as runs may also come before it
                without giving it anything.
            plan: What else the task does.
            context: What its code finds in `nadi.context`.
            name: Its display name.
            map_index: Index within a map.
        """
        super().__init__(spec, scope, bound, executor, map_index=map_index, inputs=inputs)
        self.name = name
        self.plan = plan
        self._before = before
        #: Whether the plan let it run; before, whoever waits for it must not run it.
        self._admitted = False
        self._is_resolved = False
        steering_of(self).context = context

    def find_needs(self, wait_for: tuple[Any, ...]) -> None:
        self._needs = tuple((run, True) for run in self._before)
        self.upstream = tuple(dict.fromkeys(run.id for run in self._before))
        self._before = ()

    def is_barred(self) -> bool:
        needs, self._needs = self._needs, ()
        for run, _ in needs:
            run.observed = True
        if self.session.stopped is not None:
            return False
        verdict = self.plan.verdict(self)
        if verdict is None:
            self._admitted = True
            return False
        if self.claim():
            if verdict.is_pending():
                self._finish(verdict, reused=True)
            else:
                self.end_with(verdict)
        return True

    def _finish(self, state: State[Any], *, reused: bool = False) -> None:
        super()._finish(state, reused=reused)
        # Of a hundred thousand children only what they came to is kept.
        self.steering = self._context = None

    def help_along(self) -> bool:
        return super().help_along() if self._admitted else False

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        bound = self.bound
        assert bound is not None
        if not self._is_resolved:
            bound = {name: resolved(value, _what_it_gave) for name, value in bound.items()}
            self.bound = bound = self.plan.prepared(bound)
            self._is_resolved = True
        return self.spec.parameters.spread(bound)

    def may_begin(self) -> bool:
        return not self._is_known() and super().may_begin()

    def _is_known(self) -> bool:
        try:
            known = self.plan.known(self)
        except Exception as error:
            self.fail(error, retry=False)
            return True
        if known is not None:
            self.end_with(known)
        return known is not None

    def parcel(self) -> bytes | None:
        return None if self._is_known() else super().parcel()

    def complete(self, value: Any) -> float | None:
        if self.state is None and not isinstance(value, State):
            try:
                self.plan.made(self, value)
            except Exception as error:
                return self.fail(error, retry=False)
        return super().complete(value)


def _what_it_gave(future: Any, tolerant: bool) -> Any:
    """Return the value of a run that is over, or what it failed with, for the one that comes after it."""
    run: Run = future.run
    state = run.state
    assert state is not None
    if state.type is StateType.COMPLETED:
        return run.value()
    return given_by(state.error())
