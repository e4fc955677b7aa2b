"""Workers for background tasks: `serve(*tasks)` runs what `task.delay()` asks for, from whichever process."""

from __future__ import annotations

from typing import Any

from nadi.engine.loading import stop_if_loading
from nadi.engine.serving import serve_tasks
from nadi.exceptions import CallError
from nadi.tasks import Task


def serve(*tasks: Task[..., Any], limit: int | None = 10, status_server_port: int | None = None) -> None:
    """Run background runs of these tasks in this process, until SIGTERM or Ctrl-C.

    Any number of workers may serve the same tasks: each run is run by exactly one of them, several at once, with
    retries, timeouts and logs as everywhere. A worker that is asked to end lets its runs finish for 10 seconds, then
    hands them back; what a killed one leaves goes on in the next, from its last finished task, in at most 5 attempts.

    Args:
        tasks: The tasks.
        limit: How many runs at once; `None` for as many as come.
        status_server_port: Not supported.

    Raises:
        CallError: there is no task, or what was given is none.
        ContextError: called inside of a flow or task.
    """
    if status_server_port is not None:
        raise CallError("serve() opens no port: leave status_server_port out. `nadi runs` shows what is running.")
    for one in tasks:
        if not isinstance(one, Task):
            raise CallError(f"serve() takes tasks, not {one!r}. Mark the function with @task.")
    if not tasks:
        raise CallError("serve() needs at least one task: serve(send_email, make_report).")
    stop_if_loading(tasks[0])
    serve_tasks([one.spec for one in tasks], limit=limit)


__all__ = ["serve"]
