"""Task runs, one by one; those of a flow run are listed there."""

from __future__ import annotations

from nadi.engine.log_pages import LogPage
from nadi.engine.run_pages import FullTaskShape, full_task, the_run, the_task_run
from nadi.engine.shapes import AttemptShape, attempt_shape
from nadi.exceptions import NotFound, RunNotFound, ValueRefused
from nadi.model.access import Permission
from nadi.server.api.logs import TaskLogsQuery, page_of
from nadi.server.routing import Call, Routes

routes = Routes("task-runs")


@routes.add("GET", "/api/task-runs/{task}", Permission.READ, errors=(NotFound,))
def show_task(call: Call, task: str) -> FullTaskShape:
    """Show one task run, by its id."""
    return full_task(the_task_run(call.context.store, task), now=call.now)


@routes.add("GET", "/api/task-runs/{task}/attempts", Permission.READ, errors=(NotFound,))
def list_attempts(call: Call, task: str) -> list[AttemptShape]:
    """List the attempts of a task run, first one first, the newest included."""
    store = call.context.store
    return [attempt_shape(one) for one in store.attempts(the_task_run(store, task).id)]


@routes.add("GET", "/api/task-runs/{task}/logs", Permission.READ, errors=(NotFound, RunNotFound, ValueRefused))
def list_logs(call: Call, task: str, query: TaskLogsQuery) -> LogPage:
    """List log lines of a task run: the newest, or those after or before a line."""
    store = call.context.store
    found = the_task_run(store, task)
    return page_of(store, the_run(store, found.root), query, task=found.id)
