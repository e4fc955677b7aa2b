"""What is not only called otherwise: executors of Prefect 1, and what has no place to run in."""

from __future__ import annotations

import libcst as cst

#: Methods of flows that have nothing to act on here, and what serves instead.
DEPLOYING = {
    "register": 'flow.deploy("name") or `nadi deploy FILE:FLOW` says what runs unattended.',
    "run_agent": "`nadi worker` runs what is deployed.",
}

#: Keywords and attributes of Prefect 1's flows that have no place here.
NOT_FLOW_KEYWORDS = {
    "run_config": "there is no infrastructure to describe: take it out; the flow runs where it is started.",
    "storage": "code is not packed for a run: take it out; the flow is loaded from its file.",
}

_SCHEDULERS = {
    "threads": "ThreadExecutor",
    "processes": "ProcessExecutor",
    "multiprocessing": "ProcessExecutor",
    "sync": "SequentialExecutor",
    "synchronous": "SequentialExecutor",
    "single-threaded": "SequentialExecutor",
}


def executor_call(name: str, call: cst.Call) -> cst.Call | None:
    """Return the call that makes the executor that one of Prefect 1's made; `None` where none does the same."""
    if name == "LocalExecutor":
        return cst.Call(cst.Name("SequentialExecutor"))
    if name != "LocalDaskExecutor":
        return None
    given = {arg.keyword.value: arg for arg in call.args if arg.keyword is not None}
    if len(given) < len(call.args) or not given.keys() <= {"scheduler", "num_workers"}:
        return None
    kind = "ThreadExecutor"
    if "scheduler" in given:
        scheduler = given["scheduler"].value
        told = scheduler.evaluated_value if isinstance(scheduler, cst.SimpleString) else None
        if not isinstance(told, str) or told not in _SCHEDULERS:
            return None
        kind = _SCHEDULERS[told]
    workers = [cst.Arg(given["num_workers"].value)] if "num_workers" in given and kind != "SequentialExecutor" else []
    return cst.Call(cst.Name(kind), workers)
