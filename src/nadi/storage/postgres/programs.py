"""The programs that come with PostgreSQL and make and read backups: pg_dump, pg_restore, psql."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from psycopg.conninfo import make_conninfo

from nadi.exceptions import CallError, StoreUnavailable

#: With what every dump begins.
MAGIC = b"PGDMP"


def dump(parameters: Mapping[str, Any], schema: str, tables: Sequence[str], file: Path) -> None:
    """Write tables of one schema into a file, in the format of pg_dump that is compressed and checked by pg_restore.

    Raises:
        CallError: there is no pg_dump.
        StoreUnavailable: it failed; the message says what it said.
    """
    wanted = [f'--table="{schema}"."{table}"' for table in tables]
    arguments = ("--format=custom", "--no-owner", "--no-privileges", *wanted, f"--file={file}", *_where(parameters))
    _run("pg_dump", *arguments, environ=_environ(parameters))


def check(file: Path) -> None:
    """Read a dump from its beginning to its end.

    Raises:
        CallError: it is damaged; or there is no pg_restore.
    """
    try:
        _run("pg_restore", f"--file={os.devnull}", str(file))
    except StoreUnavailable as error:
        raise CallError(f"The backup {file} is damaged ({_reason(error)}). Take another one.") from error


def schema_of(file: Path) -> str:
    """Return the schema that the tables of a dump are in; "" when it holds no database of Nadi's."""
    for line in _output("pg_restore", "--list", str(file)).splitlines():
        # `215; 1259 16386 TABLE public meta nadi`; the lines with a semicolon first are remarks.
        words = line.split()
        if not line.startswith(";") and words[3:4] == ["TABLE"] and words[5:6] == ["meta"]:
            return words[4]
    return ""


def row_of(file: Path, table: str) -> dict[str, str]:
    """Return the first row of a table in a dump, as text by column."""
    lines = iter(_output("pg_restore", "--data-only", f"--table={table}", "--file=-", str(file)).splitlines())
    for line in lines:
        if line.startswith("COPY "):
            columns = line[line.index("(") + 1 : line.index(")")].split(", ")
            return dict(zip(columns, next(lines, "").split("\t"), strict=False))
    return {}


def restore(parameters: Mapping[str, Any], file: Path, *, before: str, after: str) -> None:
    """Put a dump into a database in one transaction, with statements before and after it: all or nothing.

    Raises:
        CallError: there is no pg_restore or psql.
        StoreUnavailable: it failed, and nothing was changed; the message says what was said.
    """
    reading = [_program("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(file)]
    writing = [_program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", *_where(parameters)]
    with (
        tempfile.TemporaryFile() as told,
        _process(reading, stdout=subprocess.PIPE, stderr=told) as source,
        _process(
            writing, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=told, env=_environ(parameters)
        ) as target,
    ):
        assert source.stdout is not None
        assert target.stdin is not None
        try:
            target.stdin.write(f"BEGIN;\n{before}\n".encode())
            shutil.copyfileobj(source.stdout, target.stdin)
            if source.wait() == 0:
                # Said by nobody else: whoever is killed on the way leaves a transaction that is rolled back.
                target.stdin.write(f"\n{after}\nCOMMIT;\n".encode())
            target.stdin.close()
        except BrokenPipeError:
            pass  # it ended at an error, and has said which
        if source.poll() != 0 or target.wait() != 0:
            told.seek(0)
            raise StoreUnavailable(
                f"The backup {file} could not be restored: {_last_error(told)}. Nothing was changed."
            )


def _environ(parameters: Mapping[str, Any]) -> dict[str, str]:
    # Other users see the arguments of a process, but not its environment.
    environ = dict(os.environ)
    if parameters.get("password"):
        environ["PGPASSWORD"] = str(parameters["password"])
    return environ


def _where(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    shown = {name: value for name, value in parameters.items() if name != "password"}
    return ("--no-password", f"--dbname={make_conninfo('', **shown)}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise CallError(
            f"There is no program {name} on this machine, which backups of PostgreSQL need. Install the client programs"
            " of PostgreSQL (postgresql-client), of the version of the server or a newer one."
        )
    return found


def _run(program: str, *arguments: str, environ: Mapping[str, str] | None = None) -> bytes:
    done = subprocess.run([_program(program), *arguments], env=environ, capture_output=True, check=False)
    if done.returncode:
        with tempfile.TemporaryFile() as told:
            told.write(done.stderr)
            told.seek(0)
            raise StoreUnavailable(f"{program} failed: {_last_error(told)}.")
    return done.stdout


def _output(program: str, *arguments: str) -> str:
    return _run(program, *arguments).decode(errors="replace")


@contextmanager
def _process(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process, and end it at the end whatever happens."""
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None and not pipe.closed:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass
        if process.poll() is None:
            process.kill()
        process.wait()


def _last_error(told: IO[bytes]) -> str:
    lines = [line.strip() for line in told.read().decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()] or lines
    return errors[0].rstrip(".") if errors else "it was ended"


def _reason(error: StoreUnavailable) -> str:
    return str(error).rstrip(".")
