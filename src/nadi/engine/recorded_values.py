"""Recorded values: time, identity and chance that are the same when a run is resumed.

Each is a task run of a private task, so a resume, a retry and a task in another process treat
it as they treat every call: the same call in the same scope and order gives the recorded value.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nadi.engine.calls import call_task
from nadi.engine.recording import clock
from nadi.engine.scope import current
from nadi.model.parameters import Parameters
from nadi.model.specs import Style, TaskSpec

if TYPE_CHECKING:
    from uuid import UUID


class _ValueSpec(TaskSpec, frozen=True, eq=False, kw_only=True, dict=True):
    """A private task; its code has a name instead of a digest, so that an upgrade of Nadi changes no recorded value."""

    @cached_property
    def code(self) -> bytes:
        return b"recorded value"


def _spec(fn: Any, name: str) -> TaskSpec:
    return _ValueSpec(
        fn=fn, name=f"nadi.runtime.{name}", style=Style.SYNC, parameters=Parameters.of(fn), log_prints=False
    )


def _clock() -> Any:
    scope = current.get()
    return scope.session.clock if scope is not None else clock


def _now() -> datetime:
    return datetime.fromtimestamp(_clock().now(), UTC)


def _uuid() -> UUID:
    from uuid import UUID  # 3 ms that hardly anybody needs

    return UUID(int=_clock().random.getrandbits(128), version=4)


def _random() -> float:
    return float(_clock().random.random())


def _id(task: str, arguments: Mapping[str, Any]) -> str:
    return str(_clock().new_id())


_NOW, _UUID, _RANDOM = _spec(_now, "now"), _spec(_uuid, "uuid"), _spec(_random, "random")
_ID = _spec(_id, "id")


def _recorded(spec: TaskSpec, *args: Any) -> Any:
    return spec.fn(*args) if current.get() is None else call_task(spec, args, {})


def recorded_id(task: str, arguments: Mapping[str, Any]) -> str:
    """Return a new id for a run of a task; a resumed or retried run that asks for the same gets the one of before.

    Args:
        task: Function key of the task.
        arguments: What it is called with, by name.
    """
    return _recorded(_ID, task, arguments)  # type: ignore[no-any-return]  # what `_id` returns


def now() -> datetime:
    """Return the time, in UTC; a resumed or retried run gets the time it got before."""
    return _recorded(_NOW)  # type: ignore[no-any-return]  # what `_now` returns


def uuid() -> UUID:
    """Return a random UUID (version 4); a resumed or retried run gets the one it got before."""
    return _recorded(_UUID)  # type: ignore[no-any-return]  # what `_uuid` returns


def random() -> float:
    """Return a random number from 0 up to 1; a resumed or retried run gets the one it got before."""
    return _recorded(_RANDOM)  # type: ignore[no-any-return]  # what `_random` returns
