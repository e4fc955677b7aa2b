"""Nadi: a workflow engine for Python. Mark functions as tasks and flows; run the script.

from nadi import flow, task

@task(retries=3)
def fetch(url): ...

@flow
def nightly(urls):
return fetch.map(urls).result()
"""

from nadi import runtime
from nadi._version import __version__
from nadi.engine.annotations import allow_failure, opaque, quote, unmapped
from nadi.engine.logs import get_run_logger
from nadi.engine.metrics import log_metric, log_metrics
from nadi.engine.resuming import resume
from nadi.engine.scope import tags
from nadi.flows import Flow, flow
from nadi.model.secrets import Secret
from nadi.model.states import State
from nadi.tasks import Task, exponential_backoff, task

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
