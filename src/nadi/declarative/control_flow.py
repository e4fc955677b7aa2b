"""Branches of a declared flow: which tasks run is decided by a result, while the graph stands before anything runs.

A branch that is not taken is *skipped*: a task that compares raises `SKIP`, and what follows is skipped too, up to a
`merge`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nadi._declaring import declared
from nadi.declarative.blocks import Block
from nadi.declarative.triggers import all_finished, not_all_skipped
from nadi.engine.annotations import unmapped
from nadi.engine.logs import get_run_logger
from nadi.model.signals import SKIP
from nadi.model.text import safe_repr, shorten
from nadi.tasks import Task


class CompareValue(Task[..., Any]):
    """A task that is skipped, and with it what follows, unless a result equals what is expected."""

    def run(self, value: Any, expected: Any) -> Any:
        """Return the result.

        Raises:
            SKIP: it is not what is expected.
        """
        if value != expected:
            raise SKIP(f"{safe_repr(value, 60)} is not {safe_repr(expected, 60)}.")
        return value


def _compare(condition: Any, expected: Any, *, flow: Any, mapped: bool = False) -> CompareValue:
    # What is expected is an argument and no attribute: a resumed run then sees that it is another comparison.
    compare = CompareValue(name=f"CompareValue: {shorten(safe_repr(expected, 40), 40)}")
    return compare.bind(value=condition, expected=unmapped(expected), mapped=mapped, flow=flow)


class case(Block):
    """Run the tasks that are called in this `with` block only where a task's result equals `value`.

    ```
    with case(kind, "full"):
        rows = load_all()
    ```

    Tasks of the block that have nothing of the block before them follow an implicit task that compares and raises
    `SKIP` where the result is another one. Blocks may stand in each other; their conditions then add up.
    """

    def __init__(self, task: Any, value: Any) -> None:
        """Say which task's result is compared with which value.

        Raises:
            TypeError: the value is a task; only what is known while the flow is declared can be compared with.
        """
        if isinstance(value, Task):
            raise TypeError(
                f"case compares with a value, and {value.name!r} is a task, whose result is not known yet."
                f" Compare in a task and branch on its result: case(task.is_equal({value.name}), True)."
            )
        super().__init__()
        self.task, self.value = task, value

    def __enter__(self) -> None:
        self.open("case")

    def close(self) -> None:
        if self.tasks:
            compare = _compare(self.task, self.value, flow=self.flow)
            for task in self.first():
                task.set_upstream(compare, flow=self.flow)


def switch(condition: Any, cases: Mapping[Any, Any], mapped: bool = False) -> None:
    """Run of several tasks the one whose key equals the result of `condition`; the others are skipped.

    Args:
        condition: The task whose result decides.
        cases: By value, the task that comes first in its branch; what follows it runs or is skipped with it.
        mapped: Decide for each item of the result by itself; the tasks are then mapped ones.
    """
    flow = declared.get()
    for value, task in cases.items():
        compare = _compare(condition, value, flow=flow, mapped=mapped)
        task.set_dependencies(flow=flow, upstream_tasks=[compare], mapped=mapped)


class AsBool(Task[..., Any]):
    """A task that says whether a result is true."""

    def run(self, value: Any) -> bool:
        """Return the truth of the result."""
        return bool(value)


def ifelse(condition: Any, true_task: Any, false_task: Any, mapped: bool = False) -> None:
    """Run `true_task` where the result of `condition` is true, else `false_task`; the other one is skipped.

    Args:
        condition: The task whose result decides.
        true_task: What comes first if it is true; `None` for nothing.
        false_task: What comes first if it is false; `None` for nothing.
        mapped: Decide for each item of the result by itself; the tasks are then mapped ones.
    """
    cases = {value: task for value, task in ((True, true_task), (False, false_task)) if task is not None}
    if cases:
        switch(AsBool().bind(value=condition, mapped=mapped), cases, mapped=mapped)


class Merge(Task[..., Any]):
    """A task that gives the first result among its arguments that is not `None`."""

    def run(self, **results: Any) -> Any:
        """Return the first that is there."""
        # Constants come before what other tasks gave, wherever they stood in the call.
        ordered = sorted(results, key=lambda name: int(name.rpartition("_")[2]))
        return next((results[name] for name in ordered if results[name] is not None), None)


def merge(*tasks: Any, flow: Any = None, mapped: bool = False, **keywords: Any) -> Any:
    """Return the task that brings branches together: its result is that of the branch that ran.

    It runs when at least one of the tasks was not skipped and none failed, and gives the first result in the order
    of the arguments that is not `None`.

    Args:
        tasks: The last task of each branch.
        flow: The flow; may be left out inside of a `with Flow(...)`.
        mapped: Bring each item of mapped branches together by itself.
        keywords: Keywords of the task itself, such as `name`.
    """
    described = {"name": "Merge", "skip_on_upstream_skip": False, "trigger": not_all_skipped, **keywords}
    named = {f"task_{number}": task for number, task in enumerate(tasks, 1)}
    return Merge(**described).bind(**named, flow=flow, mapped=mapped)


class FilterTask(Task[..., Any]):
    """A task that keeps some of a list of results, usually those of a map of which some failed or were skipped."""

    def __init__(
        self,
        filter_func: Callable[[Any], bool] | None = None,
        log_func: Callable[[Any], str] | None = None,
        **keywords: Any,
    ) -> None:
        """Say what is kept.

        Args:
            filter_func: Tells of each result whether it is kept. If not given, `None` and exceptions are dropped.
            log_func: Makes the log line for each result that is dropped; none is written if it is not given.
            keywords: Keywords of the task. It runs whatever became of its upstream tasks, unless they say otherwise.
        """
        super().__init__(**{"skip_on_upstream_skip": False, "trigger": all_finished, **keywords})
        self.filter_func = filter_func or _is_result
        self.log_func = log_func

    def run(self, task_results: list[Any]) -> list[Any]:
        """Return the results that are kept, in their order."""
        kept = []
        for result in task_results:
            if self.filter_func(result):
                kept.append(result)
            elif self.log_func is not None:
                get_run_logger().info("%s", self.log_func(result))
        return kept


def _is_result(value: Any) -> bool:
    return value is not None and not isinstance(value, BaseException)


__all__ = ["FilterTask", "case", "ifelse", "merge", "switch"]
