"""From a URL to the upkeep of its database."""

from __future__ import annotations

import importlib
import os

from nadi.exceptions import CallError
from nadi.storage.contracts.upkeep import Copied, Progress, Upkeep
from nadi.storage.filesystems import read_mountinfo
from nadi.storage.opening import default_database, sqlite_file, store_url

#: Which class keeps the database of a URL's scheme. Each comes with a database library, loaded when a URL asks for it.
UPKEEPS = {
    "sqlite": "nadi.storage.sqlite.upkeep:SqliteUpkeep",
    "postgresql": "nadi.storage.postgres.upkeep:PostgresUpkeep",
    "postgres": "nadi.storage.postgres.upkeep:PostgresUpkeep",
}


def upkeep_of(url: str, *, home: str | os.PathLike[str]) -> Upkeep:
    """Return the upkeep of the database that `url` names, "" for the default one of `home`; nothing is opened.

    Raises:
        CallError: there is no database behind this URL that could be kept.
    """
    if not url:
        place = default_database(home, mountinfo=read_mountinfo(), environ=os.environ)
        return _made("sqlite", place.path, makes_folder=True)
    if file := sqlite_file(url):
        return _made("sqlite", file)
    scheme, _, _ = url.partition("://")
    if scheme in ("postgresql", "postgres"):
        return _made(scheme, url)
    raise CallError(
        f"The store {store_url(url, home)} keeps no database that could be looked after here. NADI_DATABASE_URL names"
        " one: sqlite:///runs.db, sqlite:////path/to/runs.db or postgresql://host/name."
    )


def copy_database(source: Upkeep, target: Upkeep, *, told: Progress) -> Copied:
    """Copy all that a SQLite database holds into an empty PostgreSQL database; see `Upkeep.take_in`."""
    with source.contents() as contents:
        return target.take_in(contents, told=told)


def _made(scheme: str, *arguments: object, **keywords: object) -> Upkeep:
    module, _, name = UPKEEPS[scheme].partition(":")
    upkeep: Upkeep = getattr(importlib.import_module(module), name)(*arguments, **keywords)
    return upkeep
