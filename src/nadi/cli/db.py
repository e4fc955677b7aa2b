"""`nadi db`: the database itself: how it stands, upgrades, backups, moving to PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import click

from nadi.cli.output import dim, on_terminal, paragraph, say, say_json
from nadi.cli.reading import TEXT
from nadi.exceptions import CallError, StoreTooNew
from nadi.model.text import human_bytes, plural
from nadi.storage.contracts.upkeep import DatabaseStatus, Upkeep
from nadi.storage.home import Home
from nadi.storage.opening import shown_url
from nadi.storage.settings import read_settings
from nadi.storage.upkeep import copy_database, upkeep_of

_EXAMPLES = """\b
Examples:
  nadi db status
  nadi db backup nadi-backup.db
  nadi db restore nadi-backup.db --replace
  nadi db copy ~/.nadi/nadi.db postgresql://nadi@db.example.com/nadi
"""

#: Seconds between two words on how far something is.
_EVERY = 0.2


@click.group(epilog=_EXAMPLES)
def command() -> None:
    """Look after the database: status, upgrade, backup, restore, copy.

    All but copy work on the database of NADI_DATABASE_URL. Result files are not in it: they lie in NADI_RESULTS_URL,
    or in the folder results of the home.
    """


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> None:
    """Show the schema there and here, pending migrations, rows and size.

    Nothing is created or changed. The exit status is 3 when the database cannot be used by this program.
    """
    found = _upkeep().status()
    if as_json:
        say_json(found)
    else:
        _print_status(found)
    if not found.accepts_this_program:
        raise StoreTooNew(
            f"The database {found.url} accepts schema {found.oldest_writer} or later; this program is"
            f" {found.program_schema}. Upgrade with `pip install -U nadi`."
        )


def _print_status(found: DatabaseStatus) -> None:
    if not found.is_there:
        say(f"{found.url}: there is no database yet; the first run makes it.")
        return
    standing = "up to date"
    if found.pending:
        standing = f"{plural(len(found.pending), 'migration')} pending: {', '.join(found.pending)}"
    elif found.schema > found.program_schema:
        standing = f"newer than this program, which is {found.program_schema}"
    lines = {
        "database": found.url,
        "id": found.id,
        "schema": f"{found.schema}, {standing}",
        "writers": f"schema {found.oldest_writer} or later; this program is {found.program_schema}",
        "size": human_bytes(found.size_bytes),
        "live runs": ", ".join(found.live) or "none",
        "rows": ", ".join(f"{table} {n:,}" for table, n in found.rows.items() if n) or "none",
    }
    for what, told in lines.items():
        say(f"{what:<10}" + paragraph(told, indent=" " * 10).lstrip())
    if found.pending:
        say(dim("The next run or command brings it up to date; `nadi db upgrade` does it now."))


@command.command()
@click.option("--now", is_flag=True, help="Do not wait until other processes have no live runs there.")
def upgrade(now: bool) -> None:
    """Bring the database up to date with this program.

    Every command and run does so when it opens the database, unless another process has live runs there: these may be
    of an older Nadi.
    """
    upkeep = _upkeep()
    done = upkeep.upgrade(now=now)
    if done:
        say(f"{upkeep.url}: ran {', '.join(done)}.")
    else:
        say(f"{upkeep.url} is up to date.")


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write the database into FILE, as it stands at one moment, while runs go on.

    FILE must not be there yet, appears when it is complete, and only this user may read it: it holds the key that
    signs results.
    """
    upkeep = _upkeep()
    made = upkeep.back_up(file, told=_progress())
    say(f"Backed up {upkeep.url} (schema {made.schema}) to {made.file}: {human_bytes(made.size_bytes)}.")
    _tell_of_results("in the backup")


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Also when the database holds runs; it is kept beside.")
def restore(file: Path, replace: bool) -> None:
    """Put the backup FILE in the place of the database.

    FILE is checked first. Refused while any process uses the database.
    """
    done = _upkeep().restore(file, replace=replace, stamp=time.strftime("%Y%m%d-%H%M%S"))
    say(f"Restored {done.url} from {file}: {plural(done.flow_runs, 'flow run')}, schema {done.schema}.")
    if done.replaced:
        say(f"The database that was there is kept as {done.replaced}.")
    _tell_of_results("in the backup")


@command.command()
@click.argument("source", type=TEXT, metavar="SQLITE")
@click.argument("target", type=TEXT, metavar="POSTGRES")
def copy(source: str, target: str) -> None:
    """Copy a SQLite database into an empty PostgreSQL database, to grow up.

    SQLITE is a file or a sqlite:// URL, POSTGRES a postgresql:// URL. All is copied or nothing: a copy that was cut off
    is begun again. Ids, and the key that signs results, stay the same.
    """
    url = source if "://" in source else f"sqlite:///{Path(source).expanduser().absolute()}"
    home = Home(read_settings().home).path
    done = copy_database(upkeep_of(url, home=home), upkeep_of(target, home=home), told=_progress())
    say(f"Copied {plural(done.rows, 'row')} of {plural(done.tables, 'table')} from {done.source} to {done.target}.")
    say("Set NADI_DATABASE_URL to the new database from here on, and move the old one away.")
    _tell_of_results("copied")


def _upkeep() -> Upkeep:
    settings = read_settings()
    if settings.api_url and not settings.database_url:
        raise CallError(
            f"Runs are recorded by the server {shown_url(settings.api_url)}, which keeps the database. Call `nadi db`"
            " on its machine, or name the database with NADI_DATABASE_URL."
        )
    return upkeep_of(settings.database_url, home=Home(settings.home).path)


def _tell_of_results(where: str) -> None:
    settings = read_settings()
    place = settings.results_url or Home(settings.home).results
    say(dim(f"Result files are not {where}; they lie in {place}."))


def _progress() -> Callable[[str, int, int], None]:
    """Return what tells on one line of a terminal how far something is, and nothing elsewhere."""
    if not on_terminal():
        return lambda what, done, total: None
    last = [0.0]

    def tell(what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done >= total:
            click.echo("\r\x1b[K", nl=False, err=True)
        elif now - last[0] >= _EVERY:
            last[0] = now
            click.echo(f"\r\x1b[K{what}: {done:,} of {total:,}", nl=False, err=True)

    return tell
