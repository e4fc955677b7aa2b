"""Pickles that name what they need by names that hold in every process.

A pickle names the functions and classes that it needs. What a script defines is named by the
script's path here and never by `__main__`, so that another process finds it however the script
was started. Functions that have no name to be found by (lambdas, closures) are stored whole, by
cloudpickle, which is imported only then.
"""

from __future__ import annotations

import functools
import importlib
import io
import os
import pickle
import sys
import threading
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from nadi.exceptions import NotKept
from nadi.model.scripts import find_module, find_script, stable_module_name, where_defined
from nadi.model.secrets import Secret

PROTOCOL = 5


def pickled(value: Any, *, with_secrets: bool = False) -> bytes:
    """The pickle of `value`. Raises whatever stands in the way, the user's own errors included.

    Raises:
        NotKept: if there is a `Secret` inside, and not `with_secrets`.
    """
    allowed, _secrets.allowed = _secrets.allowed, with_secrets
    try:
        buffer = io.BytesIO()
        try:
            _Pickler(buffer, PROTOCOL).dump(value)
        except (_HasNoName, pickle.PicklingError, AttributeError):
            # The last two are how pickle says that a class is not found under its own name.
            buffer = io.BytesIO()
            _whole_pickler()(buffer, PROTOCOL).dump(value)
        return buffer.getvalue()
    finally:
        _secrets.allowed = allowed


def unpickled(data: bytes | memoryview) -> Any:
    """The value that `pickled` stored. Runs what the pickle names: only for bytes of known origin.

    Raises:
        Exception: whatever the user's classes raise, or what says that a name is not there any more.
    """
    return _Unpickler(io.BytesIO(data)).load()


# -- names ------------------------------------------------------------------------------------


def reduce_by_name(thing: Any) -> tuple[Any, ...] | None:
    """What `__reduce__` returns so that a function, class, flow or task is stored by its name alone.

    `thing` needs `__module__` and `__qualname__`. The raw function of a flow or task is found behind
    it. `None` where nothing can be found again under the name: lambdas, closures, notebooks.
    """
    module_name, qualname = thing.__module__, thing.__qualname__
    if not isinstance(module_name, str) or "<" in qualname:
        return None
    module = sys.modules.get(module_name)
    try:
        found = _walk(module, qualname)
    except AttributeError:
        return None
    if found is thing:
        finder: Callable[[str, str], Any] = named_object
    elif getattr(found, "fn", None) is thing:
        finder = named_function
    else:
        return None
    where = where_defined(module_name)
    return None if where is None else (finder, (where, qualname))


def named_object(where: str, qualname: str) -> Any:
    """What is called `qualname` in `where`: a module's name or a script's absolute path. Stored in pickles by name."""
    return _walk(_script_at(where) if os.path.isabs(where) else _module(where), qualname)


def named_function(where: str, qualname: str) -> Any:
    """The function behind the flow or task that `named_object` finds. Stored in pickles by name."""
    return named_object(where, qualname).fn


#: Registered by the engine, which knows how to load a script without running its flows.
_load_script: Callable[[str], ModuleType] | None = None


def set_script_loader(load: Callable[[str], ModuleType]) -> None:
    """Have `load(path)` called when a value needs a script that is not in this process."""
    global _load_script
    _load_script = load


def _script_at(path: str) -> ModuleType:
    module = find_script(path)
    if module is not None:
        return module
    if _load_script is None:
        raise LookupError(f"the script {path} is not loaded")
    return _load_script(path)


def _module(name: str) -> ModuleType:
    return find_module(name) or importlib.import_module(name)


def _walk(start: Any, qualname: str) -> Any:
    for part in qualname.split("."):
        start = getattr(start, part)
    return start


# -- picklers ---------------------------------------------------------------------------------


class _Secrets(threading.local):
    """Whether the pickle that this thread makes may hold secrets."""

    allowed = False


_secrets = _Secrets()


def _refuse_secret(obj: Any) -> None:
    if isinstance(obj, Secret) and not _secrets.allowed:
        raise NotKept("It holds a Secret, and secrets are not stored.")


class _HasNoName(Exception):
    """A function or class was met that can only be stored whole."""


class _Pickler(pickle.Pickler):
    """The C pickler, with functions and classes of scripts stored by path and name."""

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, FunctionType | type):
            _refuse_secret(obj)
            return NotImplemented
        reduced = _reduce_stably(obj)
        if reduced is None:
            raise _HasNoName(obj.__qualname__)
        return reduced


def _reduce_stably(obj: Any) -> Any:
    """How a function or class is stored by name: NotImplemented for pickle's own way, None if it has no name."""
    module = obj.__module__
    if isinstance(obj, type) and where_defined(module) == module:
        # pickle looks importable classes up itself, and says so when they are not there.
        return NotImplemented
    by_name = reduce_by_name(obj)
    # Importable functions keep the usual form too; it is the form in which `named_object` itself is stored.
    return NotImplemented if by_name == (named_object, (module, obj.__qualname__)) else by_name


class _Unpickler(pickle.Unpickler):
    """The C unpickler; a module that is here as the running script is not imported a second time."""

    def find_class(self, module: str, name: str) -> Any:
        if module not in sys.modules:
            here = find_module(module)
            if here is not None:
                return _walk(here, name)
        return super().find_class(module, name)


@functools.cache
def _whole_pickler() -> Any:
    """The pickler that stores nameless functions and classes whole. The one place that imports cloudpickle."""
    import cloudpickle  # type: ignore[import-untyped]

    # cloudpickle stores an open text file as its text; what is read again would be no file.
    kinds = {
        kind: reduce for kind, reduce in cloudpickle.Pickler.dispatch_table.items() if kind is not io.TextIOWrapper
    }

    class WholePickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
        dispatch_table = kinds

        def reducer_override(self, obj: Any) -> Any:
            if not isinstance(obj, FunctionType | type):
                _refuse_secret(obj)
                return NotImplemented
            reduced = _reduce_stably(obj)
            if reduced is None or reduced is NotImplemented:
                reduced = _renamed(super().reducer_override(obj))
            return reduced

    return WholePickler


def _renamed(reduced: Any) -> Any:
    """`reduced` with `__main__` replaced, in place, by the name that the script has everywhere."""
    stable = stable_module_name("__main__")
    todo = [reduced] if stable is not None else []
    while todo:
        part = todo.pop()
        if isinstance(part, tuple):
            todo.extend(part)
        elif isinstance(part, dict):
            todo.append(part.get("__globals__"))
            for key in ("__module__", "__name__"):
                if part.get(key) == "__main__":
                    part[key] = stable
    return reduced
