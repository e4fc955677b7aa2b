"""What a run records about the code that it runs and the machine that it runs on.

Two steps: `describe_source` is quick enough for the start of every run, and `complete_source` adds
what may take a second in a large repository, meant for the background.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import Any

import msgspec

from nadi.engine.flow_lookup import is_flow
from nadi.model.scripts import script_path, stable_module_name
from nadi.model.sources import RunSource

#: The most of a source file that is recorded.
MOST_SOURCE_BYTES = 1024 * 1024


def describe_source(fn: Any, entrypoint: str | None = None, *, with_commit: bool = True) -> RunSource:
    """The code and environment of a run that starts now, as far as it is known within a millisecond or two.

    Args:
        fn: The flow, or the function behind it.
        entrypoint: What the flow was loaded by, if it was; else it is found out from where `fn` is defined.
        with_commit: Whether to look for a git commit, which reads files of the checkout.

    Returns:
        All but `git_dirty` and `packages`. `entrypoint` is None, and `not_loadable` says why, for what another
        process cannot load: a flow of a notebook, of `python -c`, or made inside a function.
    """
    file = _source_file(fn)
    not_loadable = ""
    if entrypoint is None:
        entrypoint, not_loadable = _find_entrypoint(fn)
    source, cut = _read_source(file) if file else (None, False)
    return RunSource(
        entrypoint=_text(entrypoint) if entrypoint else None,
        not_loadable=not_loadable,
        working_folder=_text(_working_folder()),
        sys_path=tuple(_text(str(entry)) for entry in sys.path),
        interpreter=_text(sys.executable or ""),
        python_version=".".join(map(str, sys.version_info[:3])),
        host=_host(),
        command_line=tuple(map(_text, sys.orig_argv)),
        source_file=_text(file) if file else None,
        source=source,
        source_cut=cut,
        git_commit=read_git_commit(os.path.dirname(file) if file else _working_folder()) if with_commit else None,
    )


def complete_source(source: RunSource, *, timeout: float = 5.0) -> RunSource:
    """`source` with `git_dirty` and `packages`. Starts a `git` process: not for the start of a run.

    `git_dirty` stays None where git is missing or does not answer within `timeout` seconds.
    """
    folder = os.path.dirname(source.source_file) if source.source_file else source.working_folder
    dirty = is_git_dirty(folder, timeout=timeout) if source.git_commit else None
    return msgspec.structs.replace(source, git_dirty=dirty, packages=dict(installed_packages(tuple(source.sys_path))))


# -- entrypoint ---------------------------------------------------------------------------------


def _find_entrypoint(fn: Any) -> tuple[str | None, str]:
    """The entrypoint of a flow, or None and the reason why it has none."""
    fn = _function_of(fn)
    module_name = getattr(fn, "__module__", None)
    if not isinstance(module_name, str):
        return None, "It is not known in which module the flow is defined."
    path = script_path(module_name)
    where = path or stable_module_name(module_name)
    if where is None or (path is not None and not os.path.isfile(path)):
        return None, "The flow is defined in a notebook, `python -c` or an interactive session, not in a file."
    name = _variable_of(fn, module_name)
    if name is None:
        shown = getattr(fn, "__qualname__", getattr(fn, "name", "the flow"))
        return None, f"{shown} is not a variable of {where}, so it cannot be found there again."
    return f"{where}:{name}", ""


def _variable_of(fn: Any, module_name: str) -> str | None:
    """The name by which the flow around `fn` is found in its module."""
    module = sys.modules.get(module_name)

    def is_it(value: Any) -> bool:
        return value is fn or (is_flow(value) and _function_of(value) is fn)

    found: Any = module
    qualname = getattr(fn, "__qualname__", "")
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if is_it(found):
        return str(qualname)
    return next((name for name, value in list(vars(module).items()) if is_it(value)), None) if module else None


def _function_of(fn: Any) -> Any:
    """The function behind a flow; a declared flow, which has none, stands for itself."""
    inner = getattr(fn, "fn", None) if is_flow(fn) else fn
    inner = fn if inner is None else inner
    return getattr(inner, "__func__", inner)


# -- source text --------------------------------------------------------------------------------


def _source_file(fn: Any) -> str | None:
    fn = _function_of(fn)
    code = getattr(fn, "__code__", None)
    file = getattr(code, "co_filename", None)
    if not isinstance(file, str):
        file = getattr(sys.modules.get(getattr(fn, "__module__", "")), "__file__", None)
    # Notebook cells and `python -c` have names such as <ipython-input-3> or paths of files that never were.
    return os.path.realpath(file) if isinstance(file, str) and os.path.isfile(file) else None


def _read_source(path: str) -> tuple[str | None, bool]:
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_SOURCE_BYTES + 1)
    except OSError:
        return None, False
    cut = len(data) > MOST_SOURCE_BYTES
    # A character cut in two at the end is dropped; one that is no UTF-8 is shown as such.
    text = data[:MOST_SOURCE_BYTES].decode("utf-8", "replace")
    return (text.rstrip("\ufffd") if cut else text), cut


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # the folder was deleted under the process
        return ""


def _text(path: str) -> str:
    """`path` fit for a record: Python keeps bytes that are no UTF-8 as lone surrogates, which JSON refuses."""
    return path.encode("utf-8", "backslashreplace").decode()


def _host() -> str:
    # The `platform` module would tell the same and takes 5 ms to import.
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")


# -- git ----------------------------------------------------------------------------------------


def read_git_commit(folder: str) -> str | None:
    """The commit that the working tree around `folder` is at; None outside of git or before its first commit.

    Read from the files of `.git`, which takes a fraction of a millisecond where starting `git` takes several.
    """
    try:
        git = _git_folder(folder)
        return _resolve_ref(git, "HEAD") if git else None
    except (OSError, ValueError):
        return None


def _git_folder(folder: str) -> str | None:
    while True:
        git = os.path.join(folder, ".git")
        if os.path.isdir(git):
            return git
        if os.path.isfile(git):
            # A linked working tree or submodule: the file says where its folder is.
            label, _, path = _first_line(git).partition(": ")
            return os.path.join(folder, path) if label == "gitdir" else None
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _resolve_ref(git: str, ref: str) -> str | None:
    common = git
    if os.path.isfile(os.path.join(git, "commondir")):
        common = os.path.join(git, _first_line(os.path.join(git, "commondir")))
    for _ in range(5):  # git itself follows no more
        places = [os.path.join(place, ref) for place in (git, common)]
        file = next((place for place in places if os.path.isfile(place)), None)
        if file is None:
            return _packed_ref(os.path.join(common, "packed-refs"), ref)
        line = _first_line(file)
        if not line.startswith("ref: "):
            return _commit(line)
        ref = line.removeprefix("ref: ")
    return None


def _packed_ref(path: str, ref: str) -> str | None:
    if os.path.isfile(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                commit, _, name = line.rstrip("\n").partition(" ")
                if name == ref:
                    return _commit(commit)
    return None


def _commit(text: str) -> str | None:
    return text if len(text) in (40, 64) and all(char in "0123456789abcdef" for char in text) else None


def _first_line(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.readline(4096).strip()


def is_git_dirty(folder: str, *, timeout: float) -> bool | None:
    """Whether tracked files around `folder` differ from the commit, or new ones are not ignored; None if unknown."""
    import subprocess

    # Without optional locks, or a look in the background would make the user's own git command fail.
    command = ["git", "--no-optional-locks", "-C", folder, "status", "--porcelain", "--untracked-files=normal"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=timeout
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return bool(done.stdout.strip()) if done.returncode == 0 else None


# -- installed distributions ----------------------------------------------------------------------


@functools.lru_cache(maxsize=4)
def installed_packages(path: tuple[str, ...]) -> dict[str, str]:
    """Versions of the distributions installed along `path`, by name; the first one found counts, as for an import.

    Read from the names of their metadata folders: `importlib.metadata` takes ten times longer for the same.
    """
    packages: dict[str, str] = {}
    for folder in path:
        try:
            entries = os.listdir(folder or os.curdir)
        except OSError:
            continue
        for entry in entries:
            stem, dot, kind = entry.rpartition(".")
            if dot and kind in ("dist-info", "egg-info"):
                name, _, version = stem.partition("-")
                if version:
                    # An egg's version is followed by the Python it is for.
                    packages.setdefault(name.replace("_", "-").lower(), version.partition("-")[0])
    return dict(sorted(packages.items()))
