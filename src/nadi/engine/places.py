"""Where runs are kept, for those who must not make anything by looking."""

from __future__ import annotations

import os
from pathlib import Path

from nadi.storage.filesystems import read_mountinfo
from nadi.storage.home import Home
from nadi.storage.opening import default_database, refuse_file, sqlite_file
from nadi.storage.settings import Settings


def database_file(settings: Settings) -> Path | None:
    """Return the file of the SQLite database in force, which need not be there; `None` for another kind of store."""
    if settings.api_url:
        return None
    if not settings.database_url:
        return default_database(Home(settings.home).path, mountinfo=read_mountinfo(), environ=os.environ).path
    return sqlite_file(settings.database_url)


def nothing_recorded(settings: Settings) -> bool:
    """Whether there is neither a database nor a journal: then nothing ever ran, and nothing need be made.

    Raises:
        StoreUnavailable: a file lies where the home should be.
    """
    file, home = database_file(settings), Home(settings.home)
    if file is None or os.path.exists(file):
        return False
    refuse_file(home.path)
    return not home.journal_folders()
