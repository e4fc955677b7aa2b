"""`nadi schedules`: lists schedules and when they fire, and pauses them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from heapq import merge
from itertools import islice

import click

from nadi.cli.changes import note_change
from nadi.cli.deployments import DEPLOYMENT, deployment_for_reading
from nadi.cli.output import dim, local_time, print_table, say, say_json
from nadi.cli.reading import TEXT, store_for_reading
from nadi.engine.deployment_shapes import standing_schedule_shape
from nadi.exceptions import NotFound
from nadi.model.schedules import describe
from nadi.model.text import one_line, shorten
from nadi.model.ticks import StandingSchedule
from nadi.storage.contract import Store

_EXAMPLES = """\b
Examples:
  nadi schedules
  nadi schedules --next 10
  nadi schedules pause nightly
  nadi schedules resume nightly weekdays
"""

_PAGE = 1000


@click.group(epilog=_EXAMPLES, invoke_without_command=True)
@click.option("--deployment", type=DEPLOYMENT, default="", metavar="NAME", help="Only those of this deployment.")
@click.option(
    "--next", "count", type=click.IntRange(1, 10_000), metavar="N", help="List their next N instants instead."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(context: click.Context, deployment: str, count: int | None, as_json: bool) -> None:
    """List schedules and when they fire next; pause them and let them go on."""
    if context.invoked_subcommand is not None:
        return
    if deployment:
        with deployment_for_reading(deployment) as (store, _):
            found = list(_all(store, deployment))
    else:
        with store_for_reading(look=False) as store_or_none:
            found = list(_all(store_or_none)) if store_or_none is not None else []
    if count is not None:
        _tell_instants(found, count, as_json)
    elif as_json:
        say_json([standing_schedule_shape(one) for one in found])
    elif not found:
        say("There is no schedule. Give a deployment one in nadi.toml, and deploy it: nadi deploy")
    else:
        _print(found)


def _all(store: Store, deployment: str = "") -> Iterator[StandingSchedule]:
    after = ("", "")
    while page := store.schedules.schedules(deployment=deployment, after=after, limit=_PAGE):
        yield from page
        after = (page[-1].deployment, page[-1].name)


def _print(found: Iterable[StandingSchedule]) -> None:
    rows = [
        (
            one.deployment,
            one.name,
            _standing_told(one),
            (local_time(one.next) or "over") if one.active else "",
            describe(one.schedule),
        )
        for one in found
    ]
    print_table(("DEPLOYMENT", "SCHEDULE", "IS", "NEXT", "WHEN"), rows, flexible=(0, 1, 4))


def _standing_told(one: StandingSchedule) -> str:
    if one.active:
        return "active"
    if not one.schedule.active:
        return "not active"
    return "paused" if one.paused else "paused with its deployment"


def _tell_instants(found: Iterable[StandingSchedule], count: int, as_json: bool) -> None:
    now = datetime.now(UTC)
    each = [_instants(one, now) for one in found if one.active]
    coming = list(islice(merge(*each), count))
    if as_json:
        say_json([{"at": at, "deployment": deployment, "schedule": name} for at, deployment, name in coming])
    elif not coming:
        say("No schedule fires any more." if each else "No schedule is active.")
    else:
        rows = [(local_time(at.timestamp()), deployment, name) for at, deployment, name in coming]
        print_table(("AT", "DEPLOYMENT", "SCHEDULE"), rows, flexible=(1, 2))


def _instants(one: StandingSchedule, now: datetime) -> Iterator[tuple[datetime, str, str]]:
    # What is decided already does not come again, even if the clock was set back.
    for at in one.schedule.instants(max(now, datetime.fromtimestamp(one.cursor, UTC))):
        yield at, one.deployment, one.name


# -- pausing --


@command.command("pause")
@click.argument("deployment", type=DEPLOYMENT)
@click.argument("name", type=TEXT, default="")
@click.option("--json", "as_json", is_flag=True, help="Print the schedule as JSON.")
def pause(deployment: str, name: str, as_json: bool) -> None:
    """Let the schedule NAME of DEPLOYMENT rest; NAME may be left out where there is one.

    What would have fired meanwhile is not caught up.
    """
    _set_paused(deployment, name, True, as_json)


@command.command("resume")
@click.argument("deployment", type=DEPLOYMENT)
@click.argument("name", type=TEXT, default="")
@click.option("--json", "as_json", is_flag=True, help="Print the schedule as JSON.")
def resume(deployment: str, name: str, as_json: bool) -> None:
    """Let the schedule NAME of DEPLOYMENT fire again, from now on."""
    _set_paused(deployment, name, False, as_json)


def _set_paused(deployment: str, name: str, paused: bool, as_json: bool) -> None:
    with deployment_for_reading(deployment) as (store, _):
        before = _the_schedule(store, deployment, name)
        if before.paused != paused:
            store.schedules.set_paused(deployment, before.name, paused, now=time.time())
            note_change(store, "pause_schedule" if paused else "resume_schedule", deployment, schedule=before.name)
        after = _the_schedule(store, deployment, before.name)
    if as_json:
        say_json(standing_schedule_shape(after))
        return
    already = " already" if before.paused == paused else ""
    what = (
        f"Schedule {after.name} of {one_line(deployment)}" if after.name else f"The schedule of {one_line(deployment)}"
    )
    say(f"{what} is {'paused' if paused else 'not paused'}{already}.")
    if not paused and not after.active:
        say(dim(f"  It does not fire, as {_why_inactive(after)}."))


def _why_inactive(one: StandingSchedule) -> str:
    return "its deployment is paused" if one.schedule.active else "it was deployed as not active"


def _the_schedule(store: Store, deployment: str, name: str) -> StandingSchedule:
    found = {one.name: one for one in _all(store, deployment)}
    if name in found:
        return found[name]
    if not name and len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise NotFound(f"Deployment {deployment} has no schedule.")
    which = f"no schedule {shorten(one_line(name), 80)!r}" if name else "several schedules"
    raise NotFound(f"Deployment {deployment} has {which}; choose one of: {', '.join(map(repr, found))}.")
