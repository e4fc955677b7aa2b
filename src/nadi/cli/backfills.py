"""`nadi backfills`: lists backfills, shows one, and pauses, continues and cancels them."""

from __future__ import annotations

import time

import click

from nadi.cli.changes import note_change, who_here
from nadi.cli.output import ago, bold, local_time, print_table, say, say_json
from nadi.cli.reading import TEXT, store_for_reading
from nadi.engine.backfilling import cancel_backfill, change_backfill, outcomes_of, the_backfill
from nadi.engine.clock import Clock
from nadi.engine.deployment_shapes import backfill_shape
from nadi.exceptions import NotFound
from nadi.model.text import one_line, plural
from nadi.model.ticks import Backfill, BackfillState
from nadi.storage.contract import Store
from nadi.storage.home import Home, this_holder
from nadi.storage.settings import read_settings

_EXAMPLES = """\b
Examples:
  nadi backfills
  nadi backfills show 0198c2
  nadi backfills pause 0198c2
"""


@click.group(epilog=_EXAMPLES, invoke_without_command=True)
@click.option("--deployment", type=TEXT, default="", metavar="NAME", help="Only those of this deployment.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="The most to list.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(context: click.Context, deployment: str, limit: int, as_json: bool) -> None:
    """List backfills, newest first; show, pause, resume and cancel them.

    A backfill is known by its id, or by a unique beginning or end of it.
    """
    if context.invoked_subcommand is not None:
        return
    with store_for_reading(look=False) as store:
        found = store.schedules.backfills(deployment=deployment, limit=limit) if store is not None else []
    if as_json:
        say_json([backfill_shape(one) for one in found])
    elif not found:
        say("There is no backfill. Ask for one: nadi backfill DEPLOYMENT --from TIME --to TIME")
    else:
        _print(found, time.time())


def _print(found: list[Backfill], now: float) -> None:
    rows = [
        (
            one.id,
            one.deployment,
            str(one.state),
            f"{one.decided:,} of {one.total:,}",
            local_time(one.since),
            local_time(one.until),
            ago(one.created, now),
        )
        for one in found
    ]
    print_table(("BACKFILL", "DEPLOYMENT", "IS", "DECIDED", "FROM", "TO", "MADE"), rows, flexible=(1,))


@command.command("show")
@click.argument("id", type=TEXT)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(id: str, as_json: bool) -> None:
    """Show the backfill ID: how far it has come, and what became of its runs."""
    with store_for_reading() as store:
        found = the_backfill(_there(store, id), id)
        if as_json:
            say_json(backfill_shape(found))
        elif store is not None:
            print_backfill(store, found)


def print_backfill(store: Store, backfill: Backfill) -> None:
    """Print one backfill with what became of its runs so far."""
    say(f"{bold(str(backfill.state))}  backfill {backfill.id} of {one_line(backfill.deployment)}")
    say(f"  instants  {backfill.decided:,} of {backfill.total:,} decided, {backfill.most_at_once:,} at once")
    say(f"  from      {local_time(backfill.since)} to {local_time(backfill.until)}")
    outcomes = outcomes_of(store, backfill)
    if outcomes:
        told = ", ".join(f"{count:,} {state}" for state, count in sorted(outcomes.items()))
        say(f"  runs      {told}")


@command.command("pause")
@click.argument("id", type=TEXT)
@click.option("--json", "as_json", is_flag=True, help="Print the backfill as JSON.")
def pause(id: str, as_json: bool) -> None:
    """Let the backfill ID ask for no more runs; those it has asked for go on."""
    _change(id, BackfillState.PAUSED, as_json)


@command.command("resume")
@click.argument("id", type=TEXT)
@click.option("--json", "as_json", is_flag=True, help="Print the backfill as JSON.")
def resume(id: str, as_json: bool) -> None:
    """Let the backfill ID go on."""
    _change(id, BackfillState.RUNNING, as_json)


@command.command("cancel")
@click.argument("id", type=TEXT)
@click.option("--json", "as_json", is_flag=True, help="Print the backfill as JSON.")
def cancel(id: str, as_json: bool) -> None:
    """End the backfill ID: its runs that wait are cancelled, and those that run are asked to."""
    _change(id, BackfillState.CANCELLED, as_json)


_ACTIONS = {
    BackfillState.PAUSED: "pause_backfill",
    BackfillState.RUNNING: "resume_backfill",
    BackfillState.CANCELLED: "cancel_backfill",
}


def _change(id: str, state: BackfillState, as_json: bool) -> None:
    with store_for_reading(look=False) as found:
        store = _there(found, id)
        before, clock = the_backfill(store, id), Clock()
        if state is BackfillState.CANCELLED:
            observer = this_holder(clock.new_id())
            after = cancel_backfill(store, before.id, by=who_here(), observer=observer, clock=clock)
        else:
            after = change_backfill(store, before.id, state, now=clock.now())
        note_change(store, _ACTIONS[state], after.id, deployment=after.deployment)
    if as_json:
        say_json(backfill_shape(after))
        return
    already = " already" if before.state is after.state else ""
    left = plural(after.total - after.decided, "instant")
    say(f"Backfill {after.id} of {one_line(after.deployment)} is {after.state}{already}; {left} not decided.")


def _there(store: Store | None, id: str) -> Store:
    if store is None:
        raise NotFound(f"There is no backfill {id!r} in {Home(read_settings().home).path}, where nothing is recorded.")
    return store
