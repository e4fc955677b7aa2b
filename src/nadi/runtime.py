"""What the running code can ask about its run; and time, identity and chance that a resume repeats.

`flow_run`, `task_run` and `deployment` answer for the run whose code asks. Outside of runs their
attributes are `None`, or empty where they are collections. `now()`, `uuid()` and `random()` are
recorded: a run that is resumed or retried gets the values it got before, in the same order,
where those of the standard library would differ and make the tasks that take them run again.

For tests, `NADI__RUNTIME__FLOW_RUN__NAME=...` in the environment, and likewise for every other attribute of the
three, is answered instead; `nadi.testing.runtime_overrides` does the same for a stretch of code.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from nadi.engine.overrides import overridden
from nadi.engine.recorded_values import now, random, uuid
from nadi.engine.scope import Scope, current
from nadi.model.ids import time_of
from nadi.model.runs import when
from nadi.model.work import Work


class _Context:
    """Answers about what runs here; the environment and tests may put others in their place."""

    if not TYPE_CHECKING:  # or a checker would take any attribute for one that is there

        def __getattribute__(self, name):
            if name.startswith("_"):
                return object.__getattribute__(self, name)
            kind = type(self)
            answer = getattr(kind, name, None)
            told = answer.fget.__annotations__.get("return", "") if isinstance(answer, property) else ""
            found = overridden(kind._called, name, told)
            return found[0] if found else object.__getattribute__(self, name)

    def __getattr__(self, name: str) -> NoReturn:
        known = ", ".join(self.__dir__())
        raise AttributeError(f"nadi.runtime.{self._called} has no {name!r}; it has: {known}.", name=name, obj=self)

    _called = ""

    def __dir__(self) -> list[str]:
        return sorted(name for name, value in vars(type(self)).items() if isinstance(value, property))


class FlowRunContext(_Context):
    """The flow run whose code, or whose task's code, asks."""

    _called = "flow_run"

    @property
    def id(self) -> str | None:
        """Id of the flow run."""
        return scope.id if (scope := _flow_scope()) is not None else None

    @property
    def name(self) -> str | None:
        """Display name of the run."""
        return scope.name if (scope := _flow_scope()) is not None else None

    @property
    def flow_name(self) -> str | None:
        """Name of the flow."""
        return scope.spec.name if (scope := _flow_scope()) is not None else None

    @property
    def flow_version(self) -> str | None:
        """Version of the flow as it was given."""
        return scope.spec.version or None if (scope := _flow_scope()) is not None else None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters by name, as the flow function got them; empty in a task of another process."""
        return dict(scope.parameters) if (scope := _flow_scope()) is not None else {}

    @property
    def tags(self) -> list[str]:
        """Tags of the run, sorted."""
        return sorted(scope.tags) if (scope := _flow_scope()) is not None else []

    @property
    def root_id(self) -> str | None:
        """Id of the outermost flow run; the flow run's own unless it is a subflow."""
        return scope.session.root if (scope := current.get()) is not None else None

    #: Prefect's name.
    root_flow_run_id = root_id

    @property
    def parent_flow_run_id(self) -> str | None:
        """Id of the flow run that this is a subflow of."""
        scope = _flow_scope()
        return scope.parent.flow_run if scope is not None and scope.parent is not None else None

    @property
    def attempt(self) -> int | None:
        """Number of the run's attempt: one more with each resume."""
        return scope.attempt if (scope := _flow_scope()) is not None else None

    @property
    def run_count(self) -> int:
        """How often the flow function was entered in this attempt: one more with each retry; 0 outside of runs."""
        return scope.run_count if (scope := _flow_scope()) is not None else 0

    @property
    def scheduled_start_time(self) -> datetime | None:
        """When the run was due, in UTC; of a run that was called, when it was called.

        Of a run of a schedule it is the instant that it stands for, before jitter, in each of its attempts.
        """
        scope, work = _flow_scope(), _work()
        if work is not None and (work.instant or not work.crashes):  # a crash puts off when it is due
            return when(work.instant or work.due)
        return when(time_of(scope.id)) if scope is not None else None


class TaskRunContext(_Context):
    """The task run whose code asks."""

    _called = "task_run"

    @property
    def id(self) -> str | None:
        """Id of the task run."""
        return scope.id if (scope := _task_scope()) is not None else None

    @property
    def name(self) -> str | None:
        """Display name of the run."""
        return scope.name if (scope := _task_scope()) is not None else None

    @property
    def task_name(self) -> str | None:
        """Name of the task."""
        return scope.spec.name if (scope := _task_scope()) is not None else None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The arguments by name; futures are as they were passed."""
        return dict(scope.parameters) if (scope := _task_scope()) is not None else {}

    @property
    def tags(self) -> list[str]:
        """Tags of the run, sorted."""
        return sorted(scope.tags) if (scope := _task_scope()) is not None else []

    @property
    def attempt(self) -> int | None:
        """Number of the attempt: one more with each retry, and with each resume that runs it again."""
        return scope.attempt if (scope := _task_scope()) is not None else None

    @property
    def run_count(self) -> int:
        """The same, as Prefect calls it; 0 outside of tasks."""
        return scope.attempt if (scope := _task_scope()) is not None else 0

    @property
    def idempotency_key(self) -> str | None:
        """Text that is the same for this call over all retries and resumes of the run, and differs for every other.

        The task in flight at a crash may run twice. Pass this to what it calls (a payment, an
        insert, a request), so that the second time changes nothing. It is made from the root run and from the
        calls that lead here: functions, code, inputs, and the place among equal calls.
        """
        return scope.path.hex() if (scope := _task_scope()) is not None else None


class DeploymentContext(_Context):
    """The deployment that the run is of, where it is of one; a subflow run is of that of its root run.

    In a task of another process all of it is `None`, or empty.
    """

    _called = "deployment"

    @property
    def id(self) -> str | None:
        """What the deployment is known by: its name."""
        return work.deployment if (work := _work()) is not None else None

    #: Its name.
    name = id

    @property
    def version(self) -> str | None:
        """Number of the version that runs."""
        return str(work.version) if (work := _work()) is not None else None

    @property
    def flow_run_id(self) -> str | None:
        """Id of the flow run that it started: the root run."""
        return work.run if (work := _work()) is not None else None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the deployment gives its runs, by name; those of this run may differ. It is asked of the store."""
        work, scope = _work(), current.get()
        if work is None or scope is None:
            return {}
        version = scope.session.recorder.store().deployments.version(work.deployment, work.version)
        return version.spec.parameters if version is not None else {}

    @property
    def schedule(self) -> str | None:
        """Name of the schedule that asked for the run; `None` where somebody did."""
        return (work.schedule or None) if (work := _work()) is not None else None

    @property
    def queue(self) -> str | None:
        """Name of the queue in which it waited."""
        return work.queue if (work := _work()) is not None else None


def is_cancelled() -> bool:
    """Tell whether the run is being cancelled, for long loops in threads that call into C and so see no interruption.

    A task of `executor="process"` is killed instead and always gets `False`.
    """
    scope = current.get()
    return scope is not None and scope.session.stopped is not None


def raise_if_cancelled() -> None:
    """Raise what ends the run if it is being cancelled, or belongs to another process by now."""
    scope = current.get()
    if scope is not None:
        scope.session.check()


def _flow_scope() -> Scope | None:
    scope = current.get()
    return scope.home if scope is not None else None


def _task_scope() -> Scope | None:
    scope = current.get()
    return scope if scope is not None and not scope.is_flow else None


def _work() -> Work | None:
    scope = current.get()
    return scope.session.work if scope is not None else None


flow_run = FlowRunContext()
task_run = TaskRunContext()
deployment = DeploymentContext()

__all__ = [
    "deployment",
    "flow_run",
    "is_cancelled",
    "now",
    "raise_if_cancelled",
    "random",
    "task_run",
    "uuid",
]
