"""The store, for commands that answer questions: opened without a journal or thread, and created by none of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from nadi.engine.lookup import find_run
from nadi.engine.places import nothing_recorded
from nadi.exceptions import NadiError, RunNotFound, StoreReadOnly
from nadi.model.runs import FlowRun, RunFilter
from nadi.model.text import one_line
from nadi.storage.contract import Store
from nadi.storage.home import Home, this_holder
from nadi.storage.leftovers import deliver_leftovers
from nadi.storage.opening import store_in_force
from nadi.storage.settings import read_settings


@contextmanager
def store_for_reading(*, look: bool = True) -> Iterator[Store | None]:
    """Open the store; `None` where nothing was ever recorded.

    What dead processes left is delivered first, so that the answer is true; what cannot be is told in a line.

    Args:
        look: Whether to look for what dead processes left.

    Raises:
        StoreUnavailable: the store is there and cannot be used.
    """
    settings = read_settings()
    if nothing_recorded(settings):
        yield None
        return
    home = Home(settings.home)
    store = store_in_force(settings)
    try:
        if look:
            look_for_leftovers(home, store)
        yield store
    finally:
        store.close()


def look_for_leftovers(home: Home, store: Store) -> None:
    """Deliver what dead processes left; a store that cannot be written is no reason not to read it."""
    try:
        found = deliver_leftovers(home, store, this_holder("reader"), now=time.time())
    except StoreReadOnly as error:
        click.echo(f"Note: what killed runs left behind cannot be added: {error}", err=True)
        return
    for folder, why in found.stuck.items():
        click.echo(f"Note: {folder} holds records that cannot be delivered now: {why}", err=True)


@contextmanager
def run_for_reading(wanted: str) -> Iterator[tuple[Store, FlowRun]]:
    """Open the store and find the run that a person means.

    Raises:
        RunNotFound, AmbiguousRun: no run, or several, match.
    """
    with store_for_reading() as store:
        if store is None:
            raise RunNotFound(wanted, where=f"{Home(read_settings().home).path}, where no run has been recorded yet")
        yield store, find_run(store, wanted)


def run_names(store: Store, ids: Iterable[str]) -> dict[str, str]:
    """Return the name of each of these flow runs: of one that is deleted its id, of none at all nothing."""
    found = {id: store.flow_run(id) if id else None for id in dict.fromkeys(ids)}
    return {id: run.name if run is not None else id for id, run in found.items()}


class Text(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions of click
    """Text that can be stored: what a shell hands over need not be text at all."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail(f"{value.encode(errors='backslashreplace').decode()!r} is not UTF-8 text.", param, ctx)
        return str(value)


class RunArgument(Text):
    """A run, by id, unique beginning of an id, or name; completes the names of the newest runs."""

    name = "run"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        # Loads click's completion module, which nothing else needs.
        from click.shell_completion import CompletionItem

        try:
            with store_for_reading(look=False) as store:
                runs = store.flow_runs(RunFilter(), limit=50) if store is not None else []
        except NadiError:
            return []
        told = {run.name: f"{run.flow}, {run.state_name}" for run in reversed(runs) if one_line(run.name) == run.name}
        items = [CompletionItem(name, help=one_line(text)) for name, text in reversed(told.items())]
        if len(incomplete) >= 4:
            items += [CompletionItem(run.id) for run in runs if run.id.startswith(incomplete)]
        return [item for item in items if item.value.startswith(incomplete)]


TEXT = Text()
RUN = RunArgument()
