"""`nadi limits`: the concurrency limits and rate limits, who holds their slots, and making them."""

from __future__ import annotations

import time

import click

from nadi.cli.changes import note_change
from nadi.cli.output import dim, print_table, say, say_json
from nadi.cli.reading import TEXT, store_for_reading
from nadi.engine.limit_reasons import LimitUse, uses_of_limits
from nadi.engine.limits import check_limit
from nadi.exceptions import CallError
from nadi.model.text import plural
from nadi.storage.home import Home, this_holder
from nadi.storage.opening import store_in_force
from nadi.storage.settings import read_settings

_EXAMPLES = """\b
Examples:
  nadi limits ls
  nadi limits set database 5
  nadi limits set api 10 --decay 2
  nadi limits rm database
"""


@click.group(epilog=_EXAMPLES)
def command() -> None:
    """List, make and remove concurrency limits and rate limits."""


@command.command("ls")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_limits(as_json: bool) -> None:
    """List the limits, how many slots are taken, and who holds them or waits."""
    with store_for_reading() as store:
        found: list[LimitUse] = []
        if store is not None:
            home = Home(read_settings().home)
            found = uses_of_limits(store, observer=this_holder("reader"), home=home, now=time.time())
    if as_json:
        say_json(found)
    elif not found:
        say("There is no limit. Make one: nadi limits set NAME SLOTS")
    else:
        _print(found)


def _print(found: list[LimitUse]) -> None:
    rows = [
        (
            one.name,
            f"{one.used:,} of {one.slots:,}",
            f"{one.decay:g} a second, {one.level:.1f} used up" if one.decay else "",
            ", ".join(one.holders),
            f"{len(one.waiting):,}" if one.waiting else "",
        )
        for one in found
    ]
    print_table(("LIMIT", "TAKEN", "RATE", "HELD BY", "WAITING"), rows, flexible=(0, 3))


@command.command("set")
@click.argument("name", type=TEXT)
@click.argument("slots", type=click.IntRange(0))
@click.option(
    "--decay",
    default=0.0,
    type=click.FloatRange(0),
    metavar="PER_SECOND",
    help="Slots a second that come back to rate_limit(); without it the limit has no rate.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the limit as JSON.")
def set_limit(name: str, slots: int, decay: float, as_json: bool) -> None:
    """Make the limit NAME with so many slots, or change it; who holds slots keeps them."""
    check_limit(name, slots, decay)
    settings = read_settings()
    store = store_in_force(settings)
    try:
        limit = store.limits.set_limit(name, slots=slots, decay=decay, now=time.time())
        note_change(store, "set_limit", name, slots=slots, decay=decay)
    finally:
        store.close()
    if as_json:
        say_json(LimitUse(limit.name, limit.slots, limit.decay, 0, limit.level, [], []))
    else:
        rate = f", of which {limit.decay:g} a second come back to a rate" if limit.decay else ""
        say(f"{limit.name}: {plural(limit.slots, 'slot')}{rate}")


@command.command("rm")
@click.argument("name", type=TEXT)
@click.option("--json", "as_json", is_flag=True, help="Print what was removed as JSON.")
def remove_limit(name: str, as_json: bool) -> None:
    """Remove the limit NAME; who waits for it waits for it no more."""
    with store_for_reading(look=False) as store:
        if store is None or not store.limits.remove_limit(name):
            raise CallError(f"There is no limit {name!r}. `nadi limits ls` lists those there are.")
        note_change(store, "remove_limit", name)
    if as_json:
        say_json({"removed": name})
    else:
        say(dim(f"Removed {name}."))
