"""Loading the user's flows from files and modules, without running them.

Scripts end in a bare `my_flow()` under no `if __name__` guard, and are still to be drawn, checked,
deployed and resumed. So a flow that is called while its file is loaded does not run: loading stops
there if the flow that is wanted is defined by then, and otherwise the call is an error that names
its line.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, ModuleType
from typing import Any

from nadi.engine.flow_lookup import closest, did_you_mean, find_flow, name_of, why_not_found
from nadi.engine.load_errors import line_of_caller, raise_told, syntax_told
from nadi.exceptions import FlowNotFound, LoadError
from nadi.model.scripts import find_script, script_module_name
from nadi.storage.home import working_folder
from nadi.storage.pickles import set_script_loader

# -- what flows ask -----------------------------------------------------------------------------


class _LoadingStopped(BaseException):
    """Ends a load at the first call of a flow. Not an Exception, so that no `except Exception` swallows it."""


class _Load:
    """One load that is under way in this thread."""

    def __init__(self, what: str, is_enough: Callable[[], bool]) -> None:
        self.what, self.is_enough = what, is_enough


class _Loads(threading.local):
    def __init__(self) -> None:
        self.open: list[_Load] = []


_loads = _Loads()


@contextmanager
def loading(what: str = "this code", is_enough: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """While this is open, flows that are called in this thread do not run.

    Args:
        what: What is loaded, for messages.
        is_enough: Asked at the call of a flow. True: what is wanted is defined, and the call ends this
            block, quietly. False: the call raises LoadError.
    """
    load = _Load(what, is_enough)
    _loads.open.append(load)
    try:
        yield
    except _LoadingStopped as stopped:
        # One raised for an outer load, by code that an inner one ran, is the outer one's to take.
        if stopped.args[0] is not load:
            raise
    finally:
        _loads.open.remove(load)


def stop_if_loading(flow: object) -> None:
    """What a flow calls before it runs, serves or deploys: does nothing unless this thread is loading code.

    Raises:
        LoadError: if a load is under way that needs more than is defined by now; it names file and line of the call.
    """
    if not _loads.open:
        return
    load = _loads.open[-1]
    if load.is_enough():
        raise _LoadingStopped(load)
    raise LoadError(
        f"{load.what} calls the flow {name_of(flow)!r} while it is loaded, at {line_of_caller()}, before what is"
        " wanted from it is defined. Loading runs no flow: move the call to the end of the file, or under"
        ' `if __name__ == "__main__":`.'
    )


# -- loading ------------------------------------------------------------------------------------


def load_flow(entrypoint: str, *, cwd: str | os.PathLike[str] | None = None) -> Any:
    """The flow that `entrypoint` names, with its file or module loaded and no flow run.

    Args:
        entrypoint: `path/to/file.py:name`, `package.module:name`, or without `:name` where there is exactly one
            flow. The name is that of the variable, or the flow's own; `Class.method` serves too.
        cwd: The folder that paths start from and modules are looked for in; the working folder if not given.

    The file's folder, or for a module `cwd`, is put first on `sys.path` and stays there, as user code may import
    at any time. A file that is running as the script, or is loaded and unchanged, is not loaded a second time.

    Raises:
        LoadError: if the file or module is missing or cannot be loaded. What the user's code raised is its cause.
        FlowNotFound: if it has no such flow, or several and no name was given; the message lists them.
    """
    folder = os.path.abspath(working_folder() if cwd is None else cwd)
    target, name = _split(entrypoint, folder)
    if _is_file(target, folder):
        path = os.path.join(folder, os.path.expanduser(target))
        _check_file(path, target, folder)
        module = _script(os.path.realpath(path), target, lambda module: find_flow(module, name) is not None)
    else:
        module = _import(target, folder, lambda module: find_flow(module, name) is not None)
    found = find_flow(module, name)
    if found is None:
        raise FlowNotFound(why_not_found(module, target, name))
    return found


def load_script(path: str) -> ModuleType:
    """The module of the script at `path`, loaded up to its first call of a flow.

    Raises:
        LoadError: if the file is missing or cannot be loaded.
    """
    real = os.path.realpath(path)
    _check_file(real, path, working_folder())
    return _script(real, path, lambda module: True)


def load_module(name: str, *, cwd: str | os.PathLike[str]) -> ModuleType:
    """The module called `name`, looked for in `cwd` first and loaded up to its first call of a flow.

    Raises:
        LoadError: if it is missing or cannot be loaded.
    """
    return _import(name, os.path.abspath(cwd), lambda module: True)


def _script(real: str, shown: str, is_enough: Callable[[ModuleType], bool]) -> ModuleType:
    here = find_script(real)
    name = script_module_name(real)
    # What runs as the script, or was imported by its own name, is taken as it is.
    if here is not None and (here.__name__ != name or (_stamp(real) == _loaded.get(name) and is_enough(here))):
        return here
    code = _compile(real, shown)
    module = ModuleType(name)
    module.__file__ = real
    module.__package__ = ""  # as for `python file.py`: a relative import is an error, not a guess
    sys.modules[name] = module
    _put_first_on_path(os.path.dirname(real))
    arguments, sys.argv = sys.argv, [real]  # the file is not to read the arguments of whoever loads it
    stamp = _stamp(real)
    try:
        with loading(shown, lambda: is_enough(module)):
            exec(code, module.__dict__)
    except BaseException as error:
        # A half-loaded module would be taken for the whole one by the next load.
        sys.modules.pop(name, None)
        if here is not None:
            sys.modules[name] = here
        raise_told(error, shown)
    finally:
        sys.argv = arguments
    _loaded[name] = stamp
    return module


#: What file each loaded script was made from, by module name: a changed file is loaded again.
_loaded: dict[str, tuple[int, int]] = {}


def _stamp(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_mtime_ns, found.st_size


def _compile(real: str, shown: str) -> CodeType:
    try:
        with open(real, "rb") as file:
            return compile(file.read(), real, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise LoadError(f"{shown} could not be loaded: {syntax_told(error)}") from error
    except OSError as error:
        raise LoadError(f"{shown} could not be read: {error.strerror}.") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise LoadError(f"{shown} could not be loaded: it is not Python source text ({error}).") from error


def _import(name: str, folder: str, is_enough: Callable[[ModuleType], bool]) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise LoadError(
            f"{name!r} is neither the path of a .py file nor the name of a module.{_file_hint(name, folder)}"
        )
    _put_first_on_path(folder)
    half: list[ModuleType] = []

    def stop() -> bool:
        module = sys.modules.get(name)
        if module is None or not is_enough(module):
            return False
        half.append(module)
        return True

    try:
        with loading(name, stop):
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise LoadError(
                f"There is no module {error.name!r}, in {folder} or elsewhere on sys.path.{_file_hint(name, folder)}"
            ) from error
        raise_told(error, name)
    except BaseException as error:
        raise_told(error, name)
    # The import was stopped, and importlib has taken the module away again.
    module = half[0]
    sys.modules[name] = module
    parent, _, last = name.rpartition(".")
    if parent in sys.modules:
        setattr(sys.modules[parent], last, module)
    return module


def _split(entrypoint: str, folder: str) -> tuple[str, str]:
    target, colon, name = entrypoint.rpartition(":")
    whole_is_file = os.path.lexists(os.path.join(folder, entrypoint))
    drive_only = len(target) == 1 and name[:1] in ("\\", "/")
    if not colon or whole_is_file or drive_only:
        target, name = entrypoint, ""
    if not target.strip() or (colon and not name and not whole_is_file and not drive_only):
        raise LoadError(
            f"{entrypoint!r} names no flow. Write path/to/file.py:flow or package.module:flow;"
            " the file or module alone serves where it has one flow."
        )
    return target, name


def _is_file(target: str, folder: str) -> bool:
    if target.endswith((".py", ".pyw")) or "/" in target or os.sep in target:
        return True
    # A folder of that name is a package as likely; a file is a file whatever it ends in.
    return os.path.isfile(os.path.join(folder, target)) or target in (os.curdir, os.pardir)


def _check_file(path: str, shown: str, folder: str) -> None:
    if os.path.isdir(path):
        scripts = sorted(entry for entry in os.listdir(path) if entry.endswith(".py"))
        one = scripts[0] if scripts else "file.py"
        raise LoadError(f"{shown} is a folder. Name the file in it, for example {os.path.join(shown, one)}:my_flow.")
    if not os.path.exists(path):
        near = closest(os.path.basename(path), _entries(os.path.dirname(path)))
        raise LoadError(f"There is no file {shown} (looked from {folder}).{did_you_mean(near)}")
    if not os.path.isfile(path):
        raise LoadError(f"{shown} is not a regular file, so no flow can be loaded from it.")


def _put_first_on_path(folder: str) -> None:
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _file_hint(name: str, folder: str) -> str:
    near = f"{name.replace('.', os.sep)}.py"
    return f" Did you mean the file {near}?" if os.path.isfile(os.path.join(folder, near)) else ""


# A stored value may need a script that this process has not loaded; storage cannot know how.
set_script_loader(load_script)
