"""`nadi.context`: what the running code can ask as in Prefect 1, by key or by attribute.

Inside of a run it has `flow_run_id`, `flow_name`, `flow_run_name`, `parameters`, `scheduled_start_time`, `date`,
`today` and its kin, `logger` and `secrets`; in a task also `task_run_id`, `task_name`, `task_run_name`, `task_slug`,
`map_index`, `task_run_count`, `task_tags`, `resume`, and in a loop `task_loop_count` and `task_loop_result`. A task of
another process has all of that too. Outside of runs there are `caches`, `date` and its kin, `logger` and `secrets`.
"""

from __future__ import annotations

import datetime
import logging
import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from nadi.engine.logs import get_run_logger
from nadi.engine.recording import clock
from nadi.engine.scope import Scope, current
from nadi.model.ids import time_of
from nadi.model.runs import when
from nadi.model.secrets import Secret

#: States of runs before, by cache key or task name: what `cache_for` looks through. It lives as long as the process.
caches: dict[str, list[Any]] = {}

#: Environment variables with this beginning are `context.secrets`, as Prefect 1 has it.
SECRETS = "PREFECT__CONTEXT__SECRETS__"

#: What user code put there, in this thread or coroutine.
_put: ContextVar[Mapping[str, Any] | None] = ContextVar("nadi_context", default=None)

#: The secrets that were handed out: what holds them keeps their values masked.
_held: dict[str, Secret[str]] = {}


def _began(scope: Scope) -> datetime.datetime:
    # Of the run that the scope belongs to: the same after a resume.
    found = when(time_of(scope.flow_run))
    assert found is not None
    return found


def _secrets() -> dict[str, str]:
    found = {name[len(SECRETS) :]: value for name, value in os.environ.items() if name.startswith(SECRETS)}
    for name, value in found.items():
        if name not in _held or _held[name].get() != value:
            _held[name] = Secret(value)
    return found


def _days(date: datetime.datetime) -> dict[str, Any]:
    day = datetime.timedelta(days=1)
    named = {"yesterday": date - day, "today": date, "tomorrow": date + day}
    whole = {name: f"{one:%Y-%m-%d}" for name, one in named.items()}
    bare = {f"{name}_nodash": text.replace("-", "") for name, text in whole.items()}
    return {"date": date, **whole, **bare}


#: What a task's scope tells, by key; of an attribute `None` there is no key.
_OF_TASK: dict[str, Callable[[Scope], Any]] = {
    "task_run_id": lambda scope: scope.id,
    "task_name": lambda scope: scope.spec.name,
    "task_run_name": lambda scope: scope.name,
    "task_run_count": lambda scope: scope.attempt,
    "task_tags": lambda scope: set(scope.tags),
}


def _told_by(scope: Scope) -> dict[str, Any]:
    home = scope.home
    began = _began(scope)
    told: dict[str, Any] = {
        "flow_run_id": scope.flow_run,
        "flow_name": scope.flow_name,
        "flow_run_name": home.name if home.is_flow else "",
        "parameters": dict(home.parameters),
        "scheduled_start_time": began,
        **_days(began),
        "logger": get_run_logger(),
    }
    if not scope.is_flow:
        told |= {"resume": False, **{name: tell(scope) for name, tell in _OF_TASK.items()}}
    # On the far side of an executor the scope of the flow has all that was sent along.
    for one in (home, scope):
        told |= one.context or {}
    return told


def _outside() -> dict[str, Any]:
    now = when(clock.now())
    assert now is not None
    return {**_days(now), "logger": logging.getLogger("nadi")}


class Context(MutableMapping[str, Any]):
    """What the running code can ask about its run, and what was put there; by key or by attribute."""

    def _all(self) -> dict[str, Any]:
        scope = current.get()
        told = {"caches": caches, "secrets": _secrets(), **(_outside() if scope is None else _told_by(scope))}
        return {**told, **(_put.get() or {})}

    def __getitem__(self, key: str) -> Any:
        return self._all()[key]

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            known = ", ".join(sorted(self))
            told = f"nadi.context has no {name!r} here; it has: {known}."
            raise AttributeError(told, name=name, obj=self) from None

    def __setitem__(self, key: str, value: Any) -> None:
        _put.set({**(_put.get() or {}), key: value})

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delitem__(self, key: str) -> None:
        _put.set({name: value for name, value in (_put.get() or {}).items() if name != key})

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"<nadi.context: {', '.join(sorted(self))}>"

    def to_dict(self) -> dict[str, Any]:
        """Return a copy of all that is there now."""
        return self._all()

    @contextmanager
    def __call__(self, *given: Mapping[str, Any], **values: Any) -> Iterator[Context]:
        """Put values there while the body runs."""
        put = dict(_put.get() or {})
        for one in given:
            put |= one
        token = _put.set({**put, **values})
        try:
            yield self
        finally:
            _put.reset(token)


#: What the running code can ask about its run.
context = Context()

__all__ = ["Context", "caches", "context"]
