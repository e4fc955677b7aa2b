"""Which executor `executor=` means."""

from __future__ import annotations

from typing import Any

from nadi.exceptions import DefinitionError
from nadi.executors.contract import Executor
from nadi.executors.processes import ProcessExecutor
from nadi.executors.sequential import SequentialExecutor
from nadi.executors.threads import ThreadExecutor

#: What `executor=` may be called. Prefect's task runner names mean the same.
NAMES: dict[str, type[Executor]] = {
    "thread": ThreadExecutor,
    "sequential": SequentialExecutor,
    "process": ProcessExecutor,
}


def check_executor(wanted: Any, *, owner: str) -> None:
    """Refuse what cannot be an executor.

    Raises:
        DefinitionError: it is no known name, no executor and no class of one.
    """
    if wanted is None or isinstance(wanted, Executor) or (isinstance(wanted, type) and issubclass(wanted, Executor)):
        return
    if isinstance(wanted, str) and wanted in NAMES:
        return
    known = ", ".join(repr(name) for name in NAMES)
    raise DefinitionError(f"{owner}: executor must be {known}, or an executor object, not {wanted!r}.")


def executor_for(wanted: Any, in_use: dict[Any, Executor]) -> Executor:
    """Return the executor that `wanted` means, one and the same for one session.

    Args:
        wanted: A name, an executor, a class of one, or `None` for threads.
        in_use: The session's executors; a new one is added, and left when the session ends.
    """
    key = "thread" if wanted is None else wanted
    if key not in in_use:
        kind = NAMES[key] if isinstance(key, str) else key
        made = kind if isinstance(kind, Executor) else kind()
        if in_use.setdefault(key, made) is made:  # another thread may have been faster
            made.join()
    return in_use[key]
