"""Finding the tasks of a file or module, for those who serve them."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from nadi.engine.flow_lookup import closest, did_you_mean
from nadi.engine.loading import load_module, load_script
from nadi.exceptions import LoadError
from nadi.model.specs import TaskSpec
from nadi.storage.home import working_folder


def load_tasks(target: str) -> list[TaskSpec]:
    """Return the tasks that a target names, with its file or module loaded and nothing run.

    Args:
        target: `path/to/file.py:name` or `package.module:name`; without a name all tasks that are defined there.

    Raises:
        LoadError: it cannot be loaded, or there is no such task; the message lists those there are.
    """
    place, colon, name = target.rpartition(":")
    if not colon or target.endswith(".py"):
        place, name = target, ""
    is_file = place.endswith((".py", ".pyw")) or os.sep in place
    module = load_script(place) if is_file else load_module(place, cwd=working_folder())
    tasks = tasks_in(module)
    if name:
        if name not in tasks:
            listed = f"Its tasks are: {', '.join(tasks)}." if tasks else "It has no task."
            raise LoadError(f"{place} has no task {name!r}. {listed}{did_you_mean(closest(name, list(tasks)))}")
        return [tasks[name]]
    if not tasks:
        raise LoadError(f"{place} has no task. Mark a function in it with @task.")
    return list(tasks.values())


def tasks_in(module: ModuleType) -> dict[str, TaskSpec]:
    """Return the tasks that a module defines, by the name of their variable; those it imported, if it has no own."""
    own: dict[str, TaskSpec] = {}
    imported: dict[str, TaskSpec] = {}
    for name, value in list(vars(module).items()):
        spec = _spec_of(value)
        if spec is not None and spec not in (*own.values(), *imported.values()):
            (own if spec.fn.__module__ == module.__name__ else imported)[name] = spec
    return own or imported


def _spec_of(value: Any) -> TaskSpec | None:
    # A class of tasks is none, and things in the user's module may answer getattr with anything.
    try:
        spec = None if isinstance(value, type) else getattr(value, "spec", None)
    except Exception:
        return None
    return spec if isinstance(spec, TaskSpec) else None
