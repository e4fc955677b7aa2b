"""`nadi queues`: the queues in which runs wait for workers: what is in them, pausing and limiting them."""

from __future__ import annotations

import time

import click
from msgspec.structs import replace

from nadi.cli.changes import note_change
from nadi.cli.output import print_table, say, say_json
from nadi.cli.reading import TEXT, store_for_reading
from nadi.engine.deployment_shapes import queue_shape
from nadi.exceptions import CallError
from nadi.model.text import one_line, plural
from nadi.model.work import Queue
from nadi.storage.contract import Store
from nadi.storage.opening import store_in_force
from nadi.storage.settings import read_settings

_EXAMPLES = """\b
Examples:
  nadi queues
  nadi queues set gpu --limit 2
  nadi queues set gpu --no-limit
  nadi queues pause gpu
"""

#: Characters that the name of a queue may have.
_LONGEST = 200


@click.group(epilog=_EXAMPLES, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """List queues with what waits and runs in them; pause and limit them."""
    if context.invoked_subcommand is not None:
        return
    with store_for_reading() as store:
        found = store.work.queues(now=time.time()) if store is not None else []
    if as_json:
        say_json([queue_shape(one) for one in found])
    elif not found:
        say("Nothing waits in any queue, and none is paused or limited.")
    else:
        rows = [
            (
                one.name,
                "paused" if one.paused else "active",
                f"{one.running:,}" + (f" of {one.slots:,}" if one.slots is not None else ""),
                f"{one.due:,}",
                f"{one.later:,}",
            )
            for one in found
        ]
        print_table(("QUEUE", "IS", "RUNNING", "DUE", "LATER"), rows, flexible=(0,))


@command.command("set")
@click.argument("name", type=TEXT)
@click.option("--limit", type=click.IntRange(0), metavar="N", help="How many of its runs may be under way at once.")
@click.option("--no-limit", "unlimited", is_flag=True, help="Any number of them.")
@click.option("--json", "as_json", is_flag=True, help="Print the queue as JSON.")
def set_queue(name: str, limit: int | None, unlimited: bool, as_json: bool) -> None:
    """Limit how many runs of the queue NAME are under way at once; what runs goes on."""
    if (limit is None) is not unlimited:
        raise click.UsageError("Give either --limit N or --no-limit.")
    after = _change(name, slots=limit)
    if as_json:
        say_json(queue_shape(after))
    else:
        told = f"at most {plural(after.slots, 'run')}" if after.slots is not None else "any number of runs"
        say(f"Queue {one_line(name)} has {told} under way at once.")


@command.command("pause")
@click.argument("name", type=TEXT)
@click.option("--json", "as_json", is_flag=True, help="Print the queue as JSON.")
def pause(name: str, as_json: bool) -> None:
    """Let workers take nothing from the queue NAME; what runs goes on."""
    _set_paused(name, True, as_json)


@command.command("resume")
@click.argument("name", type=TEXT)
@click.option("--json", "as_json", is_flag=True, help="Print the queue as JSON.")
def resume(name: str, as_json: bool) -> None:
    """Let workers take from the queue NAME again."""
    _set_paused(name, False, as_json)


def _set_paused(name: str, paused: bool, as_json: bool) -> None:
    after = _change(name, paused=paused)
    if as_json:
        say_json(queue_shape(after))
    else:
        say(f"Queue {one_line(name)} is {'paused' if paused else 'active'}.")


def _change(name: str, **changes: bool | int | None) -> Queue:
    """Change a queue, and return it as it is then."""
    if not 1 <= len(name) <= _LONGEST:
        raise CallError(f"The name of a queue has 1 to {_LONGEST} characters, not {len(name)}.")
    store = store_in_force(read_settings())
    try:
        wanted = replace(_the_queue(store, name), **changes)
        store.work.set_queue(name, paused=wanted.paused, slots=wanted.slots)
        note_change(store, "set_queue", name, paused=wanted.paused, slots=wanted.slots)
    finally:
        store.close()
    return wanted


def _the_queue(store: Store, name: str) -> Queue:
    return next((one for one in store.work.queues(now=time.time()) if one.name == name), Queue(name=name))
