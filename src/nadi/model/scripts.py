"""Names of scripts: one name for the code of a file, whether it is run, loaded or imported.

A script that is run is called `__main__`, and so is every other script. A name that is stored
and read again by another process must not depend on how the file was started, so the name of a
script is made from its path.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from types import ModuleType

from nadi.model.digests import blake2b

#: What every module name made by `script_module_name` starts with.
SCRIPT_PREFIX = "nadi_script_"

_MADE_UP = re.compile(rf"\b{SCRIPT_PREFIX}\w*_[0-9a-f]{{8}}\.")

#: The names under which Python runs a script: directly, and in a spawned child of multiprocessing.
RUN_NAMES = frozenset({"__main__", "__mp_main__"})


@functools.lru_cache(maxsize=256)
def script_module_name(path: str) -> str:
    """The module name of the script at `path`, such as `nadi_script_etl_1f0c9a2b`.

    Made from the real path, so that two scripts of one stem in different folders do not clash
    and a symbolic link is the file it points to.
    """
    real = os.path.realpath(path)
    stem = re.sub(r"\W", "_", os.path.splitext(os.path.basename(real))[0])
    return f"{SCRIPT_PREFIX}{stem}_{blake2b(os.fsencode(real), digest_size=4).hexdigest()}"


def without_script_names(text: str) -> str:
    """Return text for people: `nadi_script_etl_1f0c9a2b.BadRow` becomes `BadRow`, which is what they wrote."""
    return _MADE_UP.sub("", text) if SCRIPT_PREFIX in text else text


def script_path(module_name: str) -> str | None:
    """The real path of the script that runs or was loaded under `module_name`.

    `None` for modules that are imported by their own name (`python -m package.module` among
    them), and where the code has no file: a notebook, `python -c`, standard input.
    """
    if module_name in RUN_NAMES:
        module = sys.modules.get(module_name)
        return None if module is None or _name_of_module_run(module) else _file_of(module)
    if not module_name.startswith(SCRIPT_PREFIX):
        return None
    loaded = sys.modules.get(module_name)
    if loaded is not None:
        return _file_of(loaded)
    # A value that was stored by the loaded script may have been read by the script itself.
    running = script_path("__main__")
    return running if running is not None and script_module_name(running) == module_name else None


def stable_module_name(module_name: str) -> str | None:
    """The name that `module_name` has in every process: what belongs into keys and stored values.

    `__main__` becomes the script's own name, or the module's where it was started with
    `python -m`; other names stay. `None` for `__main__` of a notebook or `python -c`, which has
    no name that another process could find.
    """
    if module_name not in RUN_NAMES:
        return module_name
    path = script_path(module_name)
    if path is not None:
        return script_module_name(path)
    module = sys.modules.get(module_name)
    return _name_of_module_run(module) if module is not None else None


def where_defined(module_name: str) -> str | None:
    """Where other processes find the code of `module_name`: the absolute path of a script, or the name of a module.

    `None` for `__main__` of a notebook or `python -c`.
    """
    if module_name not in RUN_NAMES and not module_name.startswith(SCRIPT_PREFIX):
        return module_name
    return script_path(module_name) or stable_module_name(module_name)


def find_script(path: str) -> ModuleType | None:
    """The module that holds the code of the script at the real path `path`, if there is one in this process.

    The running script comes first, then the one loaded by Nadi, then one imported by its own name:
    a file that is already here must not be run a second time beside it.
    """
    for name in ("__main__", "__mp_main__", script_module_name(path)):
        here = sys.modules.get(name)
        if here is not None and _file_of(here) == path:
            return here
    base = os.path.basename(path)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(base) and name not in RUN_NAMES and _real(file) == path:
            return module
    return None


def find_module(name: str) -> ModuleType | None:
    """The module called `name`, where this process has it as a running or loaded script instead of by its name.

    `None` when the module is imported already, or has to be imported.
    """
    if name in sys.modules:
        return sys.modules[name]
    main = sys.modules.get("__main__")
    if main is not None and _name_of_module_run(main) == name:
        return main
    prefix = f"{SCRIPT_PREFIX}{name}_"
    for module_name in ("__main__", *(loaded for loaded in list(sys.modules) if loaded.startswith(prefix))):
        path = script_path(module_name)
        if path is None:
            continue
        folder, base = os.path.split(path)
        if base == f"{name}.py" and any(os.path.realpath(entry) == folder for entry in sys.path):
            return sys.modules[module_name]
    return None


def _name_of_module_run(module: ModuleType) -> str | None:
    """The importable name of a module that was started with `python -m`."""
    spec = getattr(module, "__spec__", None)
    name = getattr(spec, "name", None)
    # `python folder/` and multiprocessing set a spec that names no importable module.
    return name if isinstance(name, str) and name not in RUN_NAMES else None


def _file_of(module: ModuleType) -> str | None:
    file = getattr(module, "__file__", None)
    # Python calls standard input `<stdin>`.
    return _real(file) if isinstance(file, str) and not file.startswith("<") else None


@functools.lru_cache(maxsize=4096)
def _real(path: str) -> str:
    return os.path.realpath(path)
