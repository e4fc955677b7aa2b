"""Executors under the names that Prefect 1 has for them."""

from __future__ import annotations

from typing import Any

from nadi.exceptions import DefinitionError
from nadi.executors.contract import Executor
from nadi.executors.processes import ProcessExecutor
from nadi.executors.sequential import SequentialExecutor
from nadi.executors.threads import ThreadExecutor

_SCHEDULERS: dict[str, type[Executor]] = {
    "threads": ThreadExecutor,
    "processes": ProcessExecutor,
    "sync": SequentialExecutor,
    "single-threaded": SequentialExecutor,
    "synchronous": SequentialExecutor,
}


def LocalExecutor() -> Executor:
    """Return the executor that runs one task after the other."""
    return SequentialExecutor()


def LocalDaskExecutor(scheduler: str = "threads", **kwargs: Any) -> Executor:
    """Return the executor that runs tasks in threads, in processes, or one after the other; no Dask is needed.

    Args:
        scheduler: `threads`, `processes` or `sync`.
        kwargs: `num_workers` says how many run at once; what else Dask takes has no effect here.

    Raises:
        DefinitionError: there is no such scheduler.
    """
    kind = _SCHEDULERS.get(scheduler)
    if kind is None:
        raise DefinitionError(
            f"LocalDaskExecutor: scheduler must be 'threads', 'processes' or 'sync', not {scheduler!r}."
        )
    workers = kwargs.get("num_workers")
    if kind is SequentialExecutor:
        return SequentialExecutor()
    return ThreadExecutor(workers) if kind is ThreadExecutor else ProcessExecutor(workers)


def DaskExecutor(*args: Any, **kwargs: Any) -> Executor:
    """Refuse: there is no executor for Dask clusters yet.

    Raises:
        DefinitionError: always; the sentence says what serves.
    """
    raise DefinitionError(
        "There is no executor for Dask clusters yet. On one machine LocalDaskExecutor(scheduler='processes'), or"
        " executor='process', uses all its processors."
    )
