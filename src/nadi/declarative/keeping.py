"""Keeping: values of declared tasks that outlive their run, by `target` and `result`, and by `cache_for`."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from nadi.declarative.context import caches, context
from nadi.declarative.results import LocalResult, Result, formatted
from nadi.declarative.states import Cached
from nadi.declarative.validators import duration_only
from nadi.engine.declared_work import PlannedTaskRun
from nadi.engine.scope import current
from nadi.model.runs import when
from nadi.model.states import State as EngineState
from nadi.model.states import StateType

#: Where a value is written whose task has a result and neither target nor location.
_LOCATION = "{date:%Y-%m-%d}/{task_slug}-{task_run_id}"


class Keeping:
    """What a task keeps of its values, and what it finds of those of earlier runs."""

    def __init__(self, task: Any, result: Result | None) -> None:
        self._task = task
        self._target = task.target
        self._cache_for: datetime.timedelta | None = task.cache_for
        self._validator = task.cache_validator or duration_only
        self._caches = task.cache_for is not None or task.cache_validator is not None
        self._result = result if result is not None or self._target is None else LocalResult()
        self._writes = self._result is not None and task.checkpoint is not False

    def found(self, run: PlannedTaskRun) -> EngineState[Any] | None:
        """Return the state to end in where the value is there already."""
        run.arguments()
        if self._result is not None and self._target is not None:
            location = self._location(run)
            if self._result.exists(location):
                return _cached(f"Found at {location}.", self._result.read(location).value)
        if not self._caches:
            return None
        inputs, parameters = run.parameters, dict(run.scope.home.parameters)
        for state in reversed(caches.get(self._cache_key, ())):
            if self._validator(state, inputs, parameters):
                return _cached("Its value comes from an earlier run.", state.result)
        return None

    def put_away(self, run: PlannedTaskRun, value: Any) -> None:
        """Write a value that was made, and remember it for later runs of this process."""
        if self._writes and self._result is not None and value is not None:
            result = self._result.copy()
            result.location = self._location(run).replace("{", "{{").replace("}", "}}")
            result.write(value)
        if self._caches:
            until = when(run.session.now() + self._cache_for.total_seconds()) if self._cache_for is not None else None
            state = Cached(None, value, run.parameters, dict(run.scope.home.parameters), until)
            caches.setdefault(self._cache_key, []).append(state)

    @property
    def _cache_key(self) -> str:
        return str(self._task.cache_key or self._task.name)

    def _location(self, run: PlannedTaskRun) -> str:
        names = self._names(run)
        if callable(self._target):
            return str(self._target(**names))
        assert self._result is not None
        return formatted(self._target or self._result.location or _LOCATION, names)

    def _names(self, run: PlannedTaskRun) -> dict[str, Any]:
        here = current.set(run.scope)
        try:
            told: Mapping[str, Any] = context.to_dict()
        finally:
            current.reset(here)
        steering = run.steering
        own = {"task_name": run.spec.name, "task_run_id": run.id, "task_run_name": run.name}
        return {
            **dict(run.scope.home.parameters),
            **told,
            **(steering.told(run.map_index) if steering is not None else {}),
            **own,
            **run.parameters,
        }


def keeping_of(task: Any, flow: Any) -> Keeping | None:
    """Return what a task of a flow keeps; `None` for most, which keep nothing."""
    result = task.result if task.result is not None else getattr(flow, "result", None)
    if task.target is None and task.cache_for is None and task.cache_validator is None and result is None:
        return None
    if task.auto_generated:
        return None
    return Keeping(task, result)


def _cached(message: str, value: Any) -> EngineState[Any]:
    return EngineState(type=StateType.COMPLETED, name="Cached", message=message, data=value, has_data=True)
