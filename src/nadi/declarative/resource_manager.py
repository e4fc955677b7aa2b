"""Resources of a declared flow: set up before the tasks that need them, cleaned up after, whatever became of those."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar, overload

from nadi.declarative.blocks import Block
from nadi.declarative.states import State
from nadi.model.runs import TaskRun
from nadi.model.signals import SKIP, TRIGGERFAIL
from nadi.model.states import StateType
from nadi.tasks import Task

C = TypeVar("C")


class ResourceSetup(Task[..., Any]):
    """A task that sets a resource up."""

    #: Names of the tasks of the block, and of the one that cleans up.
    inside: frozenset[str] = frozenset()
    cleanup_name: str = ""

    def runs_again(self, recorded: Iterable[TaskRun], was: StateType) -> bool:
        """Tell whether a resumed run sets up again, although that was done: the resource was cleaned up, and is needed.

        After a crash it is not: the cleanup runs when all tasks of the block are over, and then they are facts.
        """
        if was is StateType.CRASHED:
            return False
        runs = list(recorded)
        # What an older attempt left over has been made anew since.
        newest = max((run.seen for run in runs), default=0)
        ended = [(run.task, run.state_type, run.state_name) for run in runs if run.seen == newest]
        cleaned = (self.cleanup_name, StateType.COMPLETED, "Completed") in ended
        return cleaned and any(name in self.inside and state is not StateType.COMPLETED for name, state, _ in ended)

    def run(self, mgr: Any) -> Any:
        """Return the resource, which the tasks of the block are given."""
        return mgr.setup()


class ResourceCleanup(Task[..., Any]):
    """A task that cleans a resource up."""

    #: A flow is not done well because it cleaned up: what counts is what came before this.
    is_cleanup = True

    def run(self, mgr: Any, resource: Any = None) -> None:
        """Clean up."""
        mgr.cleanup(resource)


def _if_set_up(upstream_states: Mapping[Any, State]) -> bool:
    """Trigger of the cleanup: it runs if the resource was set up, whatever became of the tasks that used it."""
    for edge, state in upstream_states.items():
        if edge.key is None:
            continue
        if state.is_skipped():
            raise SKIP("The resource was not set up: that was skipped.")
        if not state.is_successful():
            raise TRIGGERFAIL("The resource could not be set up, so there is nothing to clean up.")
    return True


class ResourceBlock(Block):
    """The `with` block of a resource; the name after `as` is the task that sets it up."""

    def __init__(self, manager: ResourceManager[Any], args: tuple[Any, ...], kwargs: dict[str, Any], flow: Any) -> None:
        super().__init__()
        self._manager, self._args, self._kwargs, self._flow = manager, args, kwargs, flow

    def __enter__(self) -> Any:
        manager = self._manager
        self.open(f"The resource manager {manager.name}", self._flow)
        flow = self.flow
        made = Task(manager.resource_class, **{"name": manager.name, **manager.init_task_kwargs})
        self.init_task = made.bind(*self._args, **self._kwargs, flow=flow)
        setup = ResourceSetup(**{"name": f"{manager.name}.setup", **manager.setup_task_kwargs})
        self.setup_task = setup.bind(mgr=self.init_task, flow=flow)
        # These two, and collections made for their arguments, stand before the block.
        self._before = frozenset(flow.tasks)
        return self.setup_task

    def close(self) -> None:
        manager, flow = self._manager, self.flow
        first, last = self.first(), self.last()
        described = {
            "name": f"{manager.name}.cleanup",
            "skip_on_upstream_skip": False,
            "trigger": _if_set_up,
            **manager.cleanup_task_kwargs,
        }
        cleanup = ResourceCleanup(**described)
        self.cleanup_task = cleanup.bind(mgr=self.init_task, resource=self.setup_task, upstream_tasks=last, flow=flow)
        self.setup_task.inside = frozenset(task.name for task in self.tasks)
        self.setup_task.cleanup_name = cleanup.name
        for task in first:
            if self.setup_task not in flow.upstream_tasks(task):
                task.set_upstream(self.setup_task, flow=flow)


class ResourceManager(Generic[C]):
    """What `@resource_manager` makes of a class: called inside of a flow, it gives a `with` block."""

    def __init__(
        self,
        resource_class: Callable[..., C],
        name: str | None = None,
        init_task_kwargs: Mapping[str, Any] | None = None,
        setup_task_kwargs: Mapping[str, Any] | None = None,
        cleanup_task_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.resource_class = resource_class
        self.name = name or getattr(resource_class, "__name__", "resource")
        self.init_task_kwargs = dict(init_task_kwargs or {})
        self.setup_task_kwargs = dict(setup_task_kwargs or {})
        self.cleanup_task_kwargs = dict(cleanup_task_kwargs or {})

    def __call__(self, *args: Any, flow: Any = None, **kwargs: Any) -> ResourceBlock:
        """Return the block; the arguments are those of the class, and may be tasks."""
        self._name_class()
        return ResourceBlock(self, args, kwargs, flow)

    def _name_class(self) -> None:
        # Where this stands in the place of the class, the class is found through it: so its instances can be pickled
        # by name, for other processes and for a resume.
        found: Any = sys.modules.get(self.resource_class.__module__)
        for part in self.resource_class.__qualname__.split("."):
            found = getattr(found, part, None)
        if found is self:
            self.resource_class.__qualname__ += ".resource_class"


@overload
def resource_manager(resource_class: Callable[..., C], /) -> ResourceManager[C]: ...
@overload
def resource_manager(
    *,
    name: str | None = None,
    init_task_kwargs: Mapping[str, Any] | None = None,
    setup_task_kwargs: Mapping[str, Any] | None = None,
    cleanup_task_kwargs: Mapping[str, Any] | None = None,
) -> Callable[[Callable[..., C]], ResourceManager[C]]: ...
def resource_manager(resource_class: Any = None, /, **keywords: Any) -> Any:
    """Mark a class as a resource of declared flows.

    The class has `setup(self)`, which returns the resource, and `cleanup(self, resource)`. In a flow it is used as a
    block, whose tasks are given the resource and run between the two:

    ```
    @resource_manager
    class Cluster:
        def __init__(self, size): self.size = size
        def setup(self): return start_cluster(self.size)
        def cleanup(self, cluster): cluster.close()

    with Flow("train") as flow:
        with Cluster(size=4) as cluster:
            fit(cluster)
    ```

    The cleanup runs when the setup succeeded, whatever failed or was skipped in the block. Where the setup failed,
    the tasks of the block do not run. The state of the flow is decided by the tasks of the block and by the cleanup.

    A run that is resumed sets up again, and runs all of the block again, when the resource was cleaned up and a task
    of the block is still to be done. After a crash, in which nothing was cleaned up, what the setup returned stands if
    it could be kept (a name, an address); what cannot be pickled (a connection) is set up again.

    Args:
        resource_class: The class.
        keywords: `name` is that of the resource if not the class's; `init_task_kwargs`, `setup_task_kwargs` and
            `cleanup_task_kwargs` are keywords of the three tasks that it becomes.
    """
    if resource_class is None:
        return lambda resource_class: ResourceManager(resource_class, **keywords)
    return ResourceManager(resource_class, **keywords)


__all__ = ["ResourceManager", "resource_manager"]
