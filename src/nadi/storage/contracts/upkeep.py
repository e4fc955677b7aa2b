"""Keeping a database: how it stands, bringing it up to date, backups. None of it opens the database as a store.

So a database can be looked at and backed up before it is brought up to date, and one that is too new or damaged too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec

from nadi.exceptions import CallError

#: Told how far something is: of what, how much is done, how much there is in all.
Progress = Callable[[str, int, int], None]


class DatabaseStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a database stands beside this program."""

    #: Where it is, without credentials.
    url: str
    #: Whether there is a database of Nadi's yet; the first run makes one.
    is_there: bool
    id: str = ""
    #: Number of the newest migration that it has; 0 when it has none.
    schema: int = 0
    #: Number of the newest migration that this program knows.
    program_schema: int
    #: Migrations that it lacks, in order.
    pending: tuple[str, ...] = ()
    #: Programs of a smaller schema must not write to it.
    oldest_writer: int = 0
    #: Live runs that a migration waits for, each with its process, for people.
    live: tuple[str, ...] = ()
    #: How many rows each table has.
    rows: dict[str, int] = {}
    size_bytes: int = 0

    @property
    def accepts_this_program(self) -> bool:
        """Whether this program may write to it."""
        return self.oldest_writer <= self.program_schema


class BackedUp(msgspec.Struct, frozen=True):
    """What a backup holds."""

    file: str
    size_bytes: int
    schema: int


class Restored(msgspec.Struct, frozen=True):
    """What a restored database holds."""

    url: str
    schema: int
    flow_runs: int
    #: Where the database that was there before is kept; "" when there was none.
    replaced: str


class Copied(msgspec.Struct, frozen=True):
    """What was copied from one database to another."""

    source: str
    target: str
    tables: int
    rows: int


class Contents(ABC):
    """All that a database holds, as it stands at one moment."""

    url: str
    id: str
    signing_key: bytes
    #: The newest change number.
    last_change: int
    #: Tables of what is kept, each with its columns; without what only tells of the database itself.
    tables: dict[str, tuple[str, ...]]

    @abstractmethod
    def count(self, table: str) -> int:
        """Return how many rows a table has."""

    @abstractmethod
    def rows(self, table: str) -> Iterator[Sequence[Any]]:
        """Yield all rows of a table."""

    @abstractmethod
    def is_current(self) -> bool:
        """Whether nobody has written to the database since."""


class Upkeep(ABC):
    """One database, for those who keep it. Nothing is made or opened before a method is called.

    Every method may raise `StoreUnavailable`; then nothing was changed.
    """

    #: For people: where it is, without credentials.
    url: str

    @abstractmethod
    def status(self) -> DatabaseStatus:
        """Return how the database stands; nothing is created or changed.

        Rows are counted, which takes a moment on a large database.
        """

    @abstractmethod
    def upgrade(self, *, now: bool) -> tuple[str, ...]:
        """Run the migrations that are pending, or make the database.

        Args:
            now: Do not wait until no other process has live runs there.

        Returns:
            Names of the migrations that were run.

        Raises:
            StoreUnavailable: another process has live runs there; the message says who.
            StoreTooNew: a newer Nadi made it and does not accept this one.
        """

    @abstractmethod
    def back_up(self, file: Path, *, told: Progress) -> BackedUp:
        """Write the whole database as it stands at one moment into a new file that only this user may read.

        Others write on meanwhile. The file appears under its name when it is complete, never before.
        Result files, and journals that are not delivered yet, are no part of it.

        Raises:
            CallError: the file is there already, or cannot be written.
        """

    @abstractmethod
    def restore(self, file: Path, *, replace: bool, stamp: str) -> Restored:
        """Put a backup in the place of the database, all or nothing; what was there is kept beside.

        Args:
            file: The backup.
            replace: Also when the database there holds runs.
            stamp: Ends the name of the database that is kept beside.

        Raises:
            CallError: the file is no backup, or damaged; or the database holds runs and `replace` is not set.
            StoreTooNew: a newer Nadi made the backup.
            StoreUnavailable: a process uses the database.
        """

    def contents(self) -> AbstractContextManager[Contents]:
        """Give all that the database holds, to copy it; it is brought up to date before.

        Raises:
            CallError: it is of a kind that is not copied.
            StoreUnavailable: processes have live runs there.
        """
        raise CallError(f"{self.url} is no SQLite database, and only those are copied.")

    def take_in(self, contents: Contents, *, told: Progress) -> Copied:
        """Take the contents of another database into this one, which must be empty: all of them or nothing.

        Whoever is killed in between leaves an empty database. From then on it is the other one: it has its id and
        its signing key.

        Raises:
            CallError: it is of a kind that takes none in, or is not empty.
            StoreUnavailable: it is in use; or somebody wrote to the other one meanwhile.
        """
        raise CallError(f"{self.url} is no PostgreSQL database, and only these take in what others hold.")
