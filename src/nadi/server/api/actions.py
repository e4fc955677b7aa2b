"""What is done to runs: start, cancel, answer and resume, run again from a task, delete."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from nadi.engine.answering import goes_on_by_itself
from nadi.engine.cancelling import ask_to_cancel
from nadi.engine.clock import Clock
from nadi.engine.run_inputs import PLAIN
from nadi.engine.run_pages import the_run, the_task_run
from nadi.engine.scheduling import check_free, is_held, newest_run_here, schedule_run
from nadi.engine.shapes import RunShape, run_shape
from nadi.exceptions import (
    InputRefused,
    NotFound,
    NotResumable,
    RunAlreadyFinished,
    RunNotFound,
    RunTaken,
    ValueRefused,
)
from nadi.model.access import Permission
from nadi.model.names import LONGEST_NAME, run_name
from nadi.model.runs import FlowRun, when
from nadi.model.text import one_line, shorten
from nadi.server.auditing import tell
from nadi.server.fields import Id
from nadi.server.routing import Call, Routes
from nadi.storage.leftovers import deliver_leftovers

routes = Routes("flow-runs")

#: Time and identity of what is started here.
_clock = Clock()

Tag = Annotated[str, Meta(min_length=1, max_length=200)]


class NewRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which flow to run, and how."""

    #: Name of a flow that has run before in this store.
    flow: Annotated[str, Meta(min_length=1, max_length=500)]
    #: Its parameters by name; the flow checks and converts them as it begins.
    parameters: dict[str, Any] = {}
    #: Id of an outermost run of it, in place of parameters: what that was given is taken as it was kept, also what
    #: JSON cannot hold.
    again: Id = ""
    #: Display name of the run; made up when "".
    name: Annotated[str, Meta(max_length=LONGEST_NAME)] = ""
    #: Beside those that the flow has.
    tags: Annotated[tuple[Tag, ...], Meta(max_length=50)] = ()


class Cancel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to cancel."""

    #: Whether its process is ended when it has not ended the run after `grace` seconds.
    force: bool = False
    grace: Annotated[float, Meta(ge=0, le=3600)] = 10.0


class Resume(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to give to a run that is resumed."""

    #: The answer to what it asks; left out for none.
    input: Any | UnsetType = UNSET


class Retry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to begin."""

    #: Id of a task run of it.
    task_run: Id


class LaunchShape(msgspec.Struct, frozen=True, kw_only=True):
    """The process that was last launched for a run."""

    run: str
    #: 0 where only its output is known: it was launched before this server started, or by another one.
    pid: int
    command: tuple[str, ...]
    folder: str
    started: datetime | None
    ended: datetime | None
    #: Exit status, negative for a signal; `null` while it runs, or where that is not known.
    status: int | None
    #: The last that it printed.
    output: str


@routes.add(
    "POST",
    "/api/flow-runs",
    Permission.OPERATE,
    status=202,
    errors=(NotFound, RunNotFound, NotResumable, ValueRefused),
    also=(429,),
    audit="start_run",
)
def start_run(call: Call, body: NewRun) -> RunShape:
    """Start a flow that has run before in this store, on this machine, as its newest run recorded it.

    The answer is the new run, SCHEDULED; a process of its own begins it. Should that end before it begins the run,
    the run becomes CRASHED and says why.
    """
    context = call.context
    launcher = context.launcher
    like = _run_again(call, body) if body.again else newest_run_here(context.store, body.flow, host=launcher.host)
    launcher.check(like)
    id = _clock.new_id()
    tell(call.request, subject=id, flow=body.flow)

    def record() -> FlowRun:
        return schedule_run(
            context.store,
            context.results,
            like,
            None if body.again else body.parameters,
            id=id,
            name=body.name or run_name(_clock.random),
            tags=body.tags,
            now=call.now,
        )

    return run_shape(launcher.launch_new(id, record), now=call.now)


def _run_again(call: Call, body: NewRun) -> FlowRun:
    """Return the run whose parameters are wanted again."""
    if body.parameters:
        raise ValueRefused("A run is started with parameters or with those of another run, not both.")
    found = the_run(call.context.store, body.again)
    if found.flow != body.flow or not found.is_root:
        raise ValueRefused(f"Run {found.id} is no outermost run of flow {shorten(one_line(body.flow), 80)!r}.")
    return found


@routes.add(
    "POST",
    "/api/flow-runs/{run}/cancel",
    Permission.OPERATE,
    status=202,
    errors=(RunNotFound, RunAlreadyFinished),
    audit="cancel_run",
)
def cancel(call: Call, run: str, body: Cancel) -> RunShape:
    """Ask whoever has a run to stop it; one that nobody has is cancelled at once.

    The answer comes before the run has ended. With `force`, its process is ended when the grace is over, if that is on
    this machine. Of a subflow run, its outermost run is cancelled.
    """
    context = call.context
    root = _root(call, run)
    done = ask_to_cancel(context.store, root, by=call.principal.name, observer=context.holder, clock=_clock)
    if body.force and not done.run.is_final:
        context.stopper.stop(done.run, by=call.principal.name, grace=body.grace)
    return run_shape(done.run, now=call.now)


@routes.add(
    "POST",
    "/api/flow-runs/{run}/resume",
    Permission.OPERATE,
    status=202,
    errors=(RunNotFound, RunAlreadyFinished, RunTaken, NotResumable, InputRefused),
    also=(429,),
    audit="resume_run",
)
def resume(call: Call, run: str, body: Resume) -> RunShape:
    """Answer a run that is paused, or continue one that ended without completing or is suspended.

    A run that waits in a process goes on there; for any other a process is launched on this machine. What is finished
    is not repeated. Of a subflow run, its outermost run goes on.
    """
    context = call.context
    root = _root(call, run)
    found = the_run(context.store, run)
    given = None if body.input is UNSET else {PLAIN: None} if body.input is None else body.input
    if not is_held(root):
        # Before anything is answered that nothing could follow.
        _check_launchable(call, root)
    if not goes_on_by_itself(context.store, found, given, by=call.principal.name, now=call.now):
        _check_launchable(call, root)
        context.launcher.launch(root)
    return run_shape(the_run(context.store, root.id), now=call.now)


@routes.add(
    "POST",
    "/api/flow-runs/{run}/retry",
    Permission.OPERATE,
    status=202,
    errors=(RunNotFound, NotFound, RunAlreadyFinished, RunTaken, NotResumable),
    also=(429,),
    audit="retry_run",
)
def retry(call: Call, run: str, body: Retry) -> RunShape:
    """Continue a run that ended without completing, and run a task of it again with all that depends on it.

    For that a process is launched on this machine. What does not depend on it is not repeated.
    """
    context = call.context
    root = _root(call, run)
    task = the_task_run(context.store, body.task_run)
    if task.root != root.id:
        raise NotFound(f"Task run {task.id} belongs to another run, {task.root}.")
    _check_launchable(call, root)
    context.launcher.launch(root, again_from=task.id)
    return run_shape(the_run(context.store, root.id), now=call.now)


@routes.add(
    "DELETE",
    "/api/flow-runs/{run}",
    Permission.OPERATE,
    errors=(RunNotFound, RunTaken, NotResumable),
    audit="delete_run",
)
def delete(call: Call, run: str) -> None:
    """Delete a finished run with all that belongs to it."""
    store = call.context.store
    found = the_run(store, run)
    if not found.is_root:
        raise NotResumable(f"Run {found.id} is a subflow run and goes with its outermost run {found.root} only.")
    if not store.delete_run(found.id, now=call.now):
        raise RunNotFound(found.id, where=store.url)
    call.context.launcher.forget(found.id)


@routes.add("GET", "/api/flow-runs/{run}/launch", Permission.READ, errors=(RunNotFound, NotFound))
def show_launch(call: Call, run: str) -> LaunchShape:
    """Show the process that was last launched for a run from here, and the last that it printed."""
    context = call.context
    root = the_run(context.store, run).root
    launch, output = context.launcher.find(root)
    return LaunchShape(
        run=root,
        pid=launch.pid if launch is not None else 0,
        command=launch.command if launch is not None else (),
        folder=launch.folder if launch is not None else "",
        started=when(launch.started) if launch is not None else None,
        ended=when(launch.ended) if launch is not None else None,
        status=launch.status if launch is not None else None,
        output=output,
    )


def _root(call: Call, id: str) -> FlowRun:
    """Return the outermost run of a run, as it stands once what dead processes left is delivered."""
    context = call.context
    the_run(context.store, id)  # what is not there is answered without any further work
    deliver_leftovers(context.home, context.store, context.holder, now=call.now)
    return the_run(context.store, the_run(context.store, id).root)


def _check_launchable(call: Call, root: FlowRun) -> None:
    check_free(root)
    call.context.launcher.check(root)
