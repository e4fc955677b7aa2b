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
from nadi.engine.scope import tags
from nadi.flows import flow
from nadi.model.secrets import Secret
from nadi.model.states import State
from nadi.tasks import Task, exponential_backoff, task

if TYPE_CHECKING:
    from nadi._serving import serve
    from nadi.declarative.context import context
    from nadi.declarative.control_flow import FilterTask, case, ifelse, merge, switch
    from nadi.declarative.edges import flatten, mapped
    from nadi.declarative.flow import Flow
    from nadi.declarative.mapping import apply_map
    from nadi.declarative.parameters import DateTimeParameter, Parameter
    from nadi.declarative.resource_manager import resource_manager
    from nadi.deployments import deploy
    from nadi.engine.resuming import resume
    from nadi.flow_runs import pause_flow_run, resume_flow_run, suspend_flow_run

#: Where the names are defined that are loaded when somebody asks for them: importing all would take twice as long.
_LATER = {
    "DateTimeParameter": "nadi.declarative.parameters",
    "FilterTask": "nadi.declarative.control_flow",
    "Flow": "nadi.declarative.flow",
    "Parameter": "nadi.declarative.parameters",
    "apply_map": "nadi.declarative.mapping",
    "case": "nadi.declarative.control_flow",
    "context": "nadi.declarative.context",
    "deploy": "nadi.deployments",
    "flatten": "nadi.declarative.edges",
    "ifelse": "nadi.declarative.control_flow",
    "mapped": "nadi.declarative.edges",
    "merge": "nadi.declarative.control_flow",
    "pause_flow_run": "nadi.flow_runs",
    "resource_manager": "nadi.declarative.resource_manager",
    "resume": "nadi.engine.resuming",
    "resume_flow_run": "nadi.flow_runs",
    "serve": "nadi._serving",
    "suspend_flow_run": "nadi.flow_runs",
    "switch": "nadi.declarative.control_flow",
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
    "DateTimeParameter",
    "FilterTask",
    "Flow",
    "Parameter",
    "Secret",
    "State",
    "Task",
    "__version__",
    "allow_failure",
    "apply_map",
    "case",
    "context",
    "deploy",
    "exponential_backoff",
    "flatten",
    "flow",
    "get_run_logger",
    "ifelse",
    "log_metric",
    "log_metrics",
    "mapped",
    "merge",
    "opaque",
    "pause_flow_run",
    "quote",
    "resource_manager",
    "resume",
    "resume_flow_run",
    "runtime",
    "serve",
    "suspend_flow_run",
    "switch",
    "tags",
    "task",
    "unmapped",
]
