"""`nadi cache`: what results the cache holds, and clearing it."""

from __future__ import annotations

import sys
import time

import click

from nadi.cli.changes import note_change
from nadi.cli.main import DONE
from nadi.cli.output import ago, dim, print_table, say, say_json
from nadi.cli.reading import TEXT, run_names, store_for_reading
from nadi.engine.shapes import cache_entry_shape
from nadi.exceptions import StoreUnavailable
from nadi.model.text import human_bytes, human_duration, plural
from nadi.storage.collecting import Collected, collect
from nadi.storage.contract import Store
from nadi.storage.contracts.cache import CacheEntry
from nadi.storage.home import Home
from nadi.storage.recorder import result_storage
from nadi.storage.settings import read_settings

_EXAMPLES = """\b
Examples:
  nadi cache ls --task prepare
  nadi cache clear --task prepare
  nadi cache clear --all --yes
"""


@click.group(epilog=_EXAMPLES)
def command() -> None:
    """List and clear the cache: results that other calls may take."""


@command.command("ls")
@click.option("--task", type=TEXT, default="", metavar="NAME", help="Only entries of this task.")
@click.option("-n", "--limit", default=20, show_default=True, type=click.IntRange(1), help="The most to list.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_entries(task: str, limit: int, as_json: bool) -> None:
    """List the entries, newest first: what they stand for, and who computed it."""
    now = time.time()
    with store_for_reading() as store:
        found = store.cache.entries(task=task, limit=limit + 1) if store is not None else []
        names = run_names(store, [entry.run for entry in found]) if store is not None else {}
    if as_json:
        say_json([cache_entry_shape(entry, now=now) for entry in found[:limit]])
        return
    if not found:
        say(f"The cache holds nothing of a task {task!r}." if task else "The cache is empty.")
        return
    _print(found[:limit], names, now)
    if len(found) > limit:
        say(dim(f"The newest {limit} are listed; more with --limit."))


def _print(found: list[CacheEntry], names: dict[str, str], now: float) -> None:
    rows = [
        (
            entry.key,
            entry.task,
            human_bytes(entry.result.size_bytes),
            ago(entry.created, now),
            _expires(entry, now),
            # A transaction of a flow bears the name of its run; once is enough.
            " of ".join(dict.fromkeys(part for part in (entry.name, names[entry.run]) if part)),
        )
        for entry in found
    ]
    print_table(("KEY", "TASK", "SIZE", "AGE", "EXPIRES", "COMPUTED BY"), rows, flexible=(0, 1, 5))


def _expires(entry: CacheEntry, now: float) -> str:
    if not entry.expires:
        return "never"
    return f"in {human_duration(round(entry.expires - now) or 1)}" if entry.is_fresh(now) else "expired"


@command.command("clear")
@click.option("--task", type=TEXT, default="", metavar="NAME", help="Remove the entries of this task.")
@click.option("--key", "keys", type=TEXT, multiple=True, help="Remove the entry of this key; may be repeated.")
@click.option("--expired", is_flag=True, help="Remove the entries that have expired.")
@click.option("--all", "everything", is_flag=True, help="Remove all entries.")
@click.option("--yes", is_flag=True, help="Do not ask before removing all.")
def clear(task: str, keys: tuple[str, ...], expired: bool, everything: bool, yes: bool) -> int:
    """Remove entries, so that their tasks compute again.

    Several options together remove only what fits all of them. Result files that nothing names any more are removed
    once they are seven days out of use, by this command too.
    """
    narrowed = bool(task or keys or expired)
    if narrowed == everything:
        raise click.UsageError("Say what to remove: --task NAME, --key KEY, --expired, or --all alone.")
    if everything and not yes and sys.stdin.isatty() and not click.confirm("Remove all entries of the cache?"):
        say("Nothing was removed.")
        return DONE
    now = time.time()
    with store_for_reading() as store:
        if store is None:
            say("The cache is empty.")
            return DONE
        removed = store.cache.remove(now=now, task=task, keys=keys, expired_at=now if expired else 0.0)
        note_change(store, "clear_cache", task, keys=keys, expired=expired, removed=removed)
        say(f"Removed {plural(removed, 'entry', 'entries')}.")
        _tell(_collect(store, now))
    return DONE


@command.command("collect")
def collect_files() -> int:
    """Remove result files of deleted runs and of removed entries.

    A file goes when no run and no entry has named it for seven days: as long as the journal of a process that cannot
    reach the store may still name it.
    """
    with store_for_reading() as store:
        collected = _collect(store, time.time()) if store is not None else Collected()
    if not collected.files:
        say("There is nothing to remove.")
    _tell(collected)
    return DONE


def _collect(store: Store, now: float) -> Collected:
    settings = read_settings()
    storage = result_storage(settings, Home(settings.home))
    try:
        return collect(store, storage, now)
    except OSError as error:
        raise StoreUnavailable(f"The results in {storage.url} cannot be removed: {error.strerror or error}.") from error


def _tell(collected: Collected) -> None:
    if collected.files:
        say(f"Removed {plural(collected.files, 'result file')} that nothing named any more.")
