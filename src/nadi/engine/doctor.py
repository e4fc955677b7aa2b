"""Looking Nadi over: what it stands on, where it keeps things, and what lies around undelivered. Changes nothing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from nadi._version import __version__
from nadi.engine.places import database_file
from nadi.exceptions import StoreError
from nadi.model.text import human_bytes, plural
from nadi.storage.filesystems import network_filesystem, read_mountinfo
from nadi.storage.home import Home
from nadi.storage.leftovers import journal_header
from nadi.storage.locks import FileLock
from nadi.storage.opening import store_in_force
from nadi.storage.settings import Settings

#: Less room than this is worth a word.
LITTLE_ROOM = 1 << 30

#: Modules that Nadi does more with when they are installed: those of its extras, and those whose values it knows.
EXTRAS = ("libcst", "opentelemetry", "psycopg", "tzdata", "numpy", "pandas", "pydantic")


class Health(StrEnum):
    """How one thing stands."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


class Sign(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    health: Health
    what: str
    told: str


def examine(settings: Settings) -> Iterator[Sign]:
    """Yield what there is to say of this installation, its home and its store; nothing is created or changed."""
    yield _python()
    yield Sign(Health.OK, "nadi", f"{__version__}, in {Path(__file__).parents[1]}")
    home = Home(settings.home)
    yield from _about_home(home, read_mountinfo())
    yield from _about_store(settings)
    yield from _about_journals(home)
    there = [name for name in EXTRAS if _is_installed(name)]
    yield Sign(Health.OK, "extras", ", ".join(there) or "none installed; none is needed")


def _python() -> Sign:
    return Sign(Health.OK, "python", f"{'.'.join(map(str, sys.version_info[:3]))}, {sys.executable}")


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _about_home(home: Home, mountinfo: str) -> Iterator[Sign]:
    if not os.path.exists(home.path):
        above = next(folder for folder in home.path.parents if os.path.isdir(folder))
        try:
            home.path.stat()
        except FileNotFoundError:
            pass  # it can be made
        except OSError as error:
            yield Sign(Health.WRONG, "home", f"{home.path} cannot be made: {error.strerror}. Set NADI_HOME.")
            return
        if os.access(above, os.W_OK | os.X_OK):
            yield Sign(Health.OK, "home", f"{home.path}, made by the first run")
        else:
            yield Sign(Health.WRONG, "home", f"{home.path} cannot be made: {above} cannot be written. Set NADI_HOME.")
        return
    if not home.path.is_dir():
        yield Sign(Health.WRONG, "home", f"{home.path} is not a folder. Set NADI_HOME to one.")
        return
    if not os.access(home.path, os.W_OK | os.X_OK):
        yield Sign(
            Health.WRONG, "home", f"{home.path} cannot be written by this user. Set NADI_HOME to another folder."
        )
        return
    kind = network_filesystem(home.path, mountinfo)
    room = shutil.disk_usage(home.path).free
    told = f"{home.path}, {human_bytes(room)} free"
    if kind is not None:
        yield Sign(Health.NOTE, "home", f"{told}; it is on a network file system ({kind}), so runs are kept elsewhere")
    elif room < LITTLE_ROOM:
        yield Sign(Health.NOTE, "home", f"{told}: that is little")
    else:
        yield Sign(Health.OK, "home", told)
    # Who cannot enter the home cannot read what is in it.
    if _others_may_read(home.path):
        told = f"other users may look into {home.path}; close it with: chmod 700 {home.path}"
        yield Sign(Health.NOTE, "permissions", told)


def _others_may_read(path: Path) -> bool:
    return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _about_store(settings: Settings) -> Iterator[Sign]:
    file = database_file(settings)
    if file is not None and not os.path.exists(file):
        if settings.database_url and not os.path.exists(file.parent):
            told = f"the folder {file.parent} of the database is not there; make it, or change NADI_DATABASE_URL"
            yield Sign(Health.WRONG, "store", told)
        else:
            yield Sign(Health.OK, "store", f"sqlite:///{file}, made by the first run")
        return
    try:
        store = store_in_force(settings)
    except StoreError as error:
        yield Sign(Health.WRONG, "store", str(error))
        return
    try:
        counts = store.counts()
        runs = f"{plural(counts['flow_runs'], 'flow run')}, {plural(counts['task_runs'], 'task run')}"
        yield Sign(Health.OK, "store", f"{store.url}: {runs}{_size(store.url)}")
    except StoreError as error:
        yield Sign(Health.WRONG, "store", str(error))
    finally:
        store.close()


def _size(url: str) -> str:
    if not url.startswith("sqlite:///"):
        return ""
    # Loaded only here: it is what the store stands on.
    import apsw

    path = Path(url.removeprefix("sqlite:///"))
    return f", {human_bytes(path.stat().st_size)}, SQLite {apsw.sqlite_lib_version()}" if path.exists() else ""


def _about_journals(home: Home) -> Iterator[Sign]:
    live = 0
    for folder in home.journal_folders():
        lock = FileLock(folder / "lock")
        try:
            free = lock.try_acquire()
        except OSError as error:
            yield Sign(Health.NOTE, "journal", f"{folder} cannot be looked at: {error.strerror}")
            continue
        if not free:
            live += 1
            continue
        lock.release()
        size = sum(file.stat().st_size for file in folder.glob("*.log"))
        header = journal_header(folder)
        where = f" for {header.url}" if header is not None else ""
        yield Sign(Health.NOTE, "journal", f"{folder} holds {human_bytes(size)} of a process that died{where}")
    told = (
        plural(live, "process is", "processes are") + " writing runs now" if live else "no process is writing runs now"
    )
    yield Sign(Health.OK, "running", told)
