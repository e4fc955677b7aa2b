"""Floor 3: where tasks run. Start with `contract.py`: what every executor promises."""

from nadi.executors.contract import Executor
from nadi.executors.familiar import DaskExecutor, LocalDaskExecutor, LocalExecutor
from nadi.executors.processes import ProcessExecutor
from nadi.executors.sequential import SequentialExecutor
from nadi.executors.threads import ThreadExecutor

__all__ = [
    "DaskExecutor",
    "Executor",
    "LocalDaskExecutor",
    "LocalExecutor",
    "ProcessExecutor",
    "SequentialExecutor",
    "ThreadExecutor",
]
