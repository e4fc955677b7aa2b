"""`flow.serve(...)` and `nadi.serve(...)`: deploy flows, and run their runs from here until somebody ends that."""

from __future__ import annotations

from collections.abc import Sequence

from nadi.deployments import FlowDeployment, check_deployments, deployed
from nadi.engine.flow_lookup import name_of
from nadi.engine.loading import stop_if_loading
from nadi.engine.recording import clock
from nadi.engine.scope import current
from nadi.exceptions import ContextError
from nadi.model.deployments import Deployed
from nadi.model.names import told_for_shell
from nadi.model.schedules import describe
from nadi.model.text import one_line, plural
from nadi.model.work import DEFAULT_QUEUE
from nadi.storage.contract import Store
from nadi.storage.opening import store_in_force
from nadi.storage.settings import read_settings
from nadi.workers.worker import LIMIT, Worker, own_services


def serve(
    *deployments: FlowDeployment,
    pause_on_shutdown: bool = True,
    print_starting_message: bool = True,
    limit: int | None = None,
) -> None:
    """Deploy flows and run their runs from here, with their schedules, until SIGTERM or Ctrl-C.

    Each run has a process of its own, as under `nadi worker`. A deployment that names no queue gets one of its own
    name, so that no run of another one comes here. Asked to end, the worker lets its runs finish; asked again, it ends
    them, and another worker takes them up.

    Args:
        deployments: What `flow.to_deployment(...)` gives.
        pause_on_shutdown: Whether their schedules rest when this ends, so that no runs pile up. They fire again when
            they are served again.
        print_starting_message: Whether to print what is served.
        limit: How many runs at once; four if not given.

    Raises:
        CallError: there is no deployment, what was given is none, or the store is one in memory.
        DefinitionError: one of them cannot run; nothing was written.
        ContextError: called inside of a flow or task.
    """
    check_deployments(deployments, "serve")
    stop_if_loading(deployments[0].flow)
    if current.get() is not None:
        raise ContextError("serve() runs until it is stopped; call it outside of flows and tasks.")
    settings = read_settings()
    store = store_in_force(settings)
    try:
        queues = [_queue_of(one) for one in deployments]
        worker = Worker(
            store,
            settings,
            queues=queues,
            limit=LIMIT if limit is None else limit,
            services=own_services(store, settings),
            tell=_print if print_starting_message else _say_nothing,
        )
        done = deployed(store, deployments, queues=queues)
        _set_paused(store, deployments, False)
        if print_starting_message:
            _tell(deployments, done, worker.seen.slots)
        try:
            worker.serve()
        finally:
            if pause_on_shutdown:
                _set_paused(store, deployments, True)
    finally:
        store.close()


def _queue_of(deployment: FlowDeployment) -> str:
    queue = deployment.draft.spec.queue
    return deployment.name if queue == DEFAULT_QUEUE else queue


def _set_paused(store: Store, deployments: Sequence[FlowDeployment], paused: bool) -> None:
    for one in deployments:
        if one.paused is None:  # else it was said how it is to be
            store.deployments.set_paused(one.name, paused, now=clock.now())


def _tell(deployments: Sequence[FlowDeployment], done: Sequence[Deployed], slots: int) -> None:
    for one, made in zip(deployments, done, strict=True):
        version = made.deployment.version
        times = "; ".join(describe(schedule) for schedule in version.spec.schedules) or "no schedule"
        _print(f"Serves {one_line(one.name)}: flow {one_line(name_of(one.flow))}, version {version.number}, {times}.")
    name = told_for_shell(deployments[0].name, repr(deployments[0].name))
    _print(f"Up to {plural(slots, 'run')} at once. Start one with: nadi trigger {name}. Ctrl-C ends this.")


def _print(text: str) -> None:
    print(text, flush=True)


def _say_nothing(text: str) -> None:
    return
