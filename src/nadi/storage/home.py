"""Nadi's home folder: what lies where, and who this process is.

::

    $NADI_HOME/                     0700, default ~/.nadi
    ├── nadi.db                     the default store
    ├── token                       0600: who can read it may use a server of this home as its owner
    ├── results/                    values too large for the store
    ├── unsent/                     the same, for a server that was away
    ├── journals/<writer>/          one for each process that writes: its journal and its lock
    ├── launched/                   0700: what processes printed that a server launched for runs, one file a run
    ├── locks/                      one file for each key that is being computed now
    ├── output/                     0700: what runs of deployments printed, one file a run
    ├── sources/                    code of deployments, fetched from git or an archive, one folder for each version
    ├── stores/<digest>.json        identity of each store seen, for when it cannot be reached
    └── workers/<writer>.json       the process groups of a worker's runs, for whoever comes after it was killed
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nadi.model.holders import Holder
from nadi.storage.filesystems import as_path

if TYPE_CHECKING:
    from pathlib import Path


class Home:
    """One home folder. Making the object touches nothing; folders are made when first needed."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = as_path(os.path.abspath(os.path.expanduser(path)))

    @property
    def database(self) -> Path:
        """The default SQLite database."""
        return self.path / "nadi.db"

    @property
    def token(self) -> Path:
        """The install token, once a server was started here."""
        return self.path / "token"

    @property
    def results(self) -> Path:
        """Folder of result files."""
        return self.path / "results"

    @property
    def unsent(self) -> Path:
        """Folder of results that wait for a server that is away."""
        return self.path / "unsent"

    @property
    def journals(self) -> Path:
        """Folder with a folder for each writing process."""
        return self.path / "journals"

    def journal_folders(self) -> list[Path]:
        """Return the folder of each process that writes or died writing, oldest first."""
        try:
            with os.scandir(self.journals) as entries:
                return sorted(as_path(entry) for entry in entries if entry.is_dir())
        except OSError:  # there is no such folder, or none can be there
            return []

    @property
    def locks(self) -> Path:
        """Folder of the locks of keys that are being computed."""
        return self.path / "locks"

    @property
    def launched(self) -> Path:
        """Folder with what the processes print that a server launched for runs."""
        return self.path / "launched"

    @property
    def output(self) -> Path:
        """Folder with what runs of deployments printed."""
        return self.path / "output"

    @property
    def sources(self) -> Path:
        """Folder with the code of deployments that was fetched."""
        return self.path / "sources"

    @property
    def workers(self) -> Path:
        """Folder in which workers write down the process groups of their runs."""
        return self.path / "workers"

    @property
    def stores(self) -> Path:
        """Folder with the identities of the stores seen."""
        return self.path / "stores"

    def ensure(self, folder: Path) -> Path:
        """Make a folder below the home, and the home, with mode 0700.

        Raises:
            OSError: the home cannot be written.
        """
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder != self.path and self.path in folder.parents:
                self.path.chmod(0o700)
        return folder


def working_folder() -> str:
    """Return the working folder; the root of the file system where it was removed meanwhile."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return os.path.abspath(os.sep)


def remove_tree(folder: Path) -> None:
    """Remove a folder with all in it, as far as that is possible."""
    import shutil  # 3 ms, needed only where a journal is done with

    shutil.rmtree(folder, ignore_errors=True)


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def process_start(pid: int) -> int:
    """Return when a process started, in clock ticks since boot; 0 when there is no such process or no way to tell."""
    # The second field, the program's name, may hold spaces and parentheses: count from the last one.
    _, _, rest = _text(f"/proc/{pid}/stat").rpartition(")")
    fields = rest.split()
    if not fields or fields[0] in "ZX":  # a zombie runs nothing any more
        return 0
    return int(fields[19])


def this_host() -> str:
    """Return the name of this machine."""
    if hasattr(os, "uname"):
        return os.uname().nodename
    import socket  # 4 ms, on Windows only

    return socket.gethostname()


def this_holder(writer: str) -> Holder:
    """Describe this process as the holder of what `writer` writes."""
    pid = os.getpid()
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return Holder(
        writer=writer,
        host=this_host(),
        pid=pid,
        started=process_start(pid),
        boot=_text("/proc/sys/kernel/random/boot_id").strip(),
        namespace=namespace,
    )


def can_be_looked_up(holder: Holder, observer: Holder) -> bool:
    """Tell whether the pid of `holder` says from here whether it lives."""
    return holder.shares_pids_with(observer) and bool(holder.started)


def is_gone(holder: Holder, observer: Holder) -> bool:
    """Tell whether `holder` is certainly dead: its pid can be looked up from here and is not that process any more."""
    return can_be_looked_up(holder, observer) and process_start(holder.pid) != holder.started
