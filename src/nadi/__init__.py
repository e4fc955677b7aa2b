"""Nadi: a workflow engine for Python. Mark functions as tasks and flows; run the script.

from nadi import flow, task

@task(retries=3)
def fetch(url): ...

@flow
def nightly(urls):
return fetch.map(urls).result()
"""

import importlib
from typing import TYPE_CHECKING, Any

from nadi import runtime
from nadi._version import __version__
from nadi.engine.annotations import allow_failure, opaque, quote, unmapped
from nadi.engine.logs import get_run_logger
from nadi.engine.metrics import log_metric, log_metrics
from nadi.engine.resuming import resume
from nadi.engine.scope import tags
from nadi.flows import flow
from nadi.model.secrets import Secret
from nadi.model.states import State
from nadi.tasks import Task, exponential_backoff, task

if TYPE_CHECKING:
    from nadi.flows import Flow

#: Where the names are defined that are loaded when somebody asks for them: importing all would take twice as long.
_LATER = {
    "Flow": "nadi.flows",
}


def __getattr__(name: str) -> Any:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module 'nadi' has no attribute {name!r}")
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "Flow",
    "Secret",
    "State",
    "Task",
    "__version__",
    "allow_failure",
    "exponential_backoff",
    "flow",
    "get_run_logger",
    "log_metric",
    "log_metrics",
    "opaque",
    "quote",
    "resume",
    "runtime",
    "tags",
    "task",
    "unmapped",
]
