"""From a URL to a Store."""

from __future__ import annotations

import importlib
import logging
import os
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from nadi.exceptions import SettingError, StoreReadOnly, StoreUnavailable
from nadi.storage.contract import Store
from nadi.storage.filesystems import as_path, network_filesystem, read_mountinfo
from nadi.storage.home import Home
from nadi.storage.http.urls import is_loopback, plain_url
from nadi.storage.install_token import read_install_token
from nadi.storage.results import ResultStorage
from nadi.storage.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger("nadi.storage")

#: Which class serves a URL's scheme. Each comes with a database library, loaded when a URL asks for it.
STORES = {
    "memory": "nadi.storage.memory:MemoryStore",
    "sqlite": "nadi.storage.sqlite:SqliteStore",
    "postgresql": "nadi.storage.postgres:PostgresStore",
    "postgres": "nadi.storage.postgres:PostgresStore",
}
#: What to install for a scheme whose library does not come with Nadi itself, by the name of the library.
EXTRAS = {"psycopg": "postgres"}
#: What serves the URL of a server: as a store, and for result files.
FAR_STORE, FAR_RESULTS = "nadi.storage.http.store:connect", "nadi.storage.http.results:far_results"
#: What speaks to a server about all that is no part of a store.
FAR_CLIENT = "nadi.storage.http.client:Client"


class DefaultDatabase(NamedTuple):
    """Where runs are kept when nothing else is set."""

    path: Path
    #: One sentence for people when it is not in the home; "" otherwise.
    notice: str = ""


def open_store(url: str, *, home: str | os.PathLike[str]) -> Store:
    """Return the store that `url` names.

    `memory://` is a new store in this process. `sqlite:///runs.db` is a file, from the working
    folder; `sqlite:////var/lib/nadi.db`, with four slashes, is one from the root. "" is the default
    database of `home`: a folder that is made when it is not there, while that of any other
    database is not. A home on a network file system keeps its default database on this machine,
    with one warning that says where. `postgresql://user:password@host:5432/name` is a database of
    a PostgreSQL server.

    Raises:
        SettingError: there is no store for this URL.
        StoreUnavailable: the store cannot be opened; the message says what to do.
        StoreTooNew: a newer Nadi made it and does not accept this one.
    """
    if not url:
        place = default_database(home, mountinfo=read_mountinfo(), environ=os.environ)
        if place.notice:
            _log.warning(place.notice)
        _make_folder(place.path.parent, private=bool(place.notice))
        return _made("sqlite", place.path)
    if file := sqlite_file(url):
        return _made("sqlite", file)
    scheme, _, rest = url.partition("://")
    if scheme == "memory" and not rest.strip("/"):
        return _made("memory")
    if scheme in ("postgresql", "postgres"):
        return _made(scheme, url)
    raise SettingError(
        f"There is no store for the database URL {shown_url(url)!r}."
        " Use sqlite:///runs.db (a file in the working folder), sqlite:////path/to/runs.db (four slashes: from the"
        " root), postgresql://host/name or memory:// (kept in this process only)."
    )


def store_in_force(settings: Settings) -> Store:
    """Return the store that the settings lead to: that of a server, where they name one.

    Raises:
        SettingError, StoreUnavailable, StoreTooNew: see `open_store`.
    """
    if settings.api_url:
        return _loaded(FAR_STORE)(*_far(settings))  # type: ignore[no-any-return]
    return open_store(settings.database_url, home=Home(settings.home).path)


def far_results(settings: Settings) -> ResultStorage:
    """Return the result storage of the server that the settings name."""
    return _loaded(FAR_RESULTS)(*_far(settings))  # type: ignore[no-any-return]


def far_client(settings: Settings) -> Any:
    """Return a `Client` of the server that the settings name."""
    return _loaded(FAR_CLIENT)(settings.api_url, _key(settings))


def _far(settings: Settings) -> tuple[str, str, Path, int]:
    # What may wait as results is what may wait as a journal.
    return settings.api_url, _key(settings), Home(settings.home).unsent, settings.journal_limit


def _key(settings: Settings) -> str:
    # Who can read the home of a server is whose server it is; the token never leaves this machine.
    if settings.api_key or not is_loopback(settings.api_url):
        return settings.api_key
    return read_install_token(Home(settings.home))


def store_url(url: str, home: str | os.PathLike[str]) -> str:
    """Return the `url` that the store of a database URL will have, without opening it."""
    if not url:
        path = default_database(home, mountinfo=read_mountinfo(), environ=os.environ).path
        return f"sqlite:///{path.absolute()}"
    if url.startswith(("http://", "https://")):
        return plain_url(url)
    file = sqlite_file(url)
    return f"sqlite:///{file.absolute()}" if file else shown_url(url)


def sqlite_file(url: str) -> Path | None:
    """Return the file that a database URL names, which may be from the working folder; `None` where it names none."""
    scheme, _, rest = url.partition("://")
    return as_path(rest[1:]).expanduser() if scheme == "sqlite" and rest[:1] == "/" and rest.strip("/") else None


def _made(scheme: str, *arguments: object) -> Store:
    store: Store = _loaded(STORES[scheme])(*arguments)
    return store


def _loaded(place: str) -> Any:
    module, _, name = place.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in EXTRAS:
            raise
        raise SettingError(
            f"A PostgreSQL database needs {library}, which is not installed here. Install it with"
            f" `pip install 'nadi[{EXTRAS[library]}]'`."
        ) from None


def default_database(home: str | os.PathLike[str], *, mountinfo: str, environ: Mapping[str, str]) -> DefaultDatabase:
    """Return where the default database of `home` lies: in it, or on this machine when the home is on a network.

    Args:
        home: Nadi's home folder.
        mountinfo: The text of `/proc/self/mountinfo`.
        environ: The environment; `XDG_STATE_HOME` and `HOME` are looked at.
    """
    home = as_path(os.path.abspath(os.path.expanduser(home)))
    kind = network_filesystem(home, mountinfo)
    if kind is None:
        return DefaultDatabase(home / "nadi.db")
    # Two homes of one user must not share a database: the folder bears the name of its home.
    name = f"{home.name.lstrip('.') or 'home'}-{zlib.crc32(os.fsencode(home)):08x}"
    folder = _local_state(mountinfo, environ) / "nadi" / name
    return DefaultDatabase(
        folder / "nadi.db",
        f"Nadi's home {home} is on a network file system ({kind}), where SQLite cannot keep data safe, so runs are"
        f" recorded on this machine only, in {folder / 'nadi.db'}; to share them between machines, set"
        " NADI_DATABASE_URL to a PostgreSQL database or NADI_API_URL to a Nadi server.",
    )


def _local_state(mountinfo: str, environ: Mapping[str, str]) -> Path:
    """Return a folder for state that lasts and is on this machine; where the user has none, one that may not last."""
    candidates = [environ.get("XDG_STATE_HOME", "")]
    if environ.get("HOME"):
        candidates.append(os.path.join(environ["HOME"], ".local", "state"))
    for candidate in candidates:
        if os.path.isabs(candidate) and network_filesystem(candidate, mountinfo) is None:
            return as_path(candidate)
    # 4 ms, and hardly ever needed.
    import tempfile

    user = os.getuid() if hasattr(os, "getuid") else "user"
    return as_path(tempfile.gettempdir()) / f"nadi-{user}"


def refuse_file(folder: Path) -> None:
    """Raise StoreUnavailable if a file lies where the folder should be."""
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise StoreUnavailable(f"{folder} is a file, not a folder. Set NADI_HOME to a folder.")


def _make_folder(folder: Path, *, private: bool) -> None:
    """Make a folder that only this user may enter; one that is there keeps its mode.

    With `private`, one that is there must belong to this user: its name can be guessed, and others
    may have made it where everybody may write.
    """
    refuse_file(folder)
    # Path.exists() would raise where a name is too long.
    missing = [each for each in (folder, *folder.parents) if not os.path.exists(each)]
    try:
        for each in reversed(missing):
            each.mkdir(mode=0o700, exist_ok=True)
        owner = folder.stat().st_uid
    except PermissionError as error:
        raise StoreReadOnly(
            f"The folder {folder} cannot be made: this user may not write there. Set NADI_HOME to a folder that can"
            " be written."
        ) from error
    except OSError as error:
        raise StoreUnavailable(
            f"The folder {folder} cannot be made: {error.strerror}. Set NADI_HOME to another folder."
        ) from error
    if private and hasattr(os, "getuid") and owner != os.getuid():
        raise StoreUnavailable(
            f"The folder {folder} belongs to another user, who could read and change what is recorded there."
            " Set NADI_HOME to a folder of your own."
        )


def shown_url(url: str) -> str:
    """Return a database URL for people: without user and password, and without options, which may hold them too."""
    address, _, options = url.partition("?")
    scheme, separator, rest = address.partition("://")
    # A socket's folder and the name of the database say where it is, wherever they stand.
    told = "&".join(option for option in options.split("&") if option.startswith(("host=", "port=", "dbname=")))
    return f"{scheme}{separator}{rest.rpartition('@')[2]}{'?' if told else ''}{told}"
