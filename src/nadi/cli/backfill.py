"""`nadi backfill`: asks for runs for the instants of a schedule in a range of time."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from nadi.cli.backfills import print_backfill
from nadi.cli.changes import note_change, who_here
from nadi.cli.deployments import DEPLOYMENT, deployment_for_reading
from nadi.cli.main import DONE, RUN_FAILED
from nadi.cli.output import dim, local_time, say, say_json
from nadi.cli.reading import TEXT
from nadi.cli.running import pairs_by_name
from nadi.engine.backfilling import Wanted, has_gone_well, make_backfill, the_backfill
from nadi.engine.clock import Clock
from nadi.engine.deployment_shapes import backfill_shape
from nadi.engine.typed_text import values_of_text
from nadi.exceptions import CallError
from nadi.model.deployments import Deployment
from nadi.model.schedules.zones import instant_of
from nadi.model.text import one_line, parse_duration, plural
from nadi.model.ticks import Backfill, BackfillState
from nadi.storage.contract import Store

_EXAMPLES = """\b
Examples:
  nadi backfill nightly --from 2026-03-01 --to 2026-04-01
  nadi backfill nightly --from 2026-03-01 --to 2026-04-01 --only-missing
  nadi backfill hourly --from 2026-03-01 --to 2026-03-02 --max-parallel 4
"""

#: Seconds between two looks at a backfill that is waited for, where nothing tells of news.
_LOOK = 1.0


@click.command(epilog=_EXAMPLES)
@click.argument("name", type=DEPLOYMENT)
@click.option("--from", "since", type=TEXT, required=True, metavar="TIME", help="The first instant that counts.")
@click.option("--to", "until", type=TEXT, required=True, metavar="TIME", help="Instants before this time count.")
@click.option("--schedule", type=TEXT, default="", metavar="NAME", help="Which schedule of the deployment.")
@click.option("--every", type=TEXT, default="", metavar="TIME", help="Instants so far apart instead, such as 1h.")
@click.option("--only-missing", is_flag=True, help="Leave out instants that have a run that has not failed.")
@click.option(
    "--max-parallel",
    "most_at_once",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="How many runs are open at once.",
)
@click.option("--reverse", is_flag=True, help="The latest instant first.")
@click.option("-p", "--param", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated.")
@click.option("-w", "--wait", is_flag=True, help="Wait until it has ended; the exit status is 1 if a run failed.")
@click.option("--json", "as_json", is_flag=True, help="Print the backfill as JSON.")
def command(
    name: str,
    since: str,
    until: str,
    schedule: str,
    every: str,
    only_missing: bool,
    most_at_once: int,
    reverse: bool,
    pairs: tuple[str, ...],
    wait: bool,
    as_json: bool,
) -> int:
    """Ask for runs of the deployment NAME for the instants of its schedule between two times.

    A server or a worker makes them, a few at a time; `nadi backfills` shows how far it has come. Times without an
    offset are those of the schedule's zone.
    """
    clock = Clock()
    with deployment_for_reading(name) as (store, found):
        zone = None if every else _zone(found, schedule)
        wanted = Wanted(
            deployment=name,
            since=_moment(since, zone, "--from"),
            until=_moment(until, zone, "--to"),
            schedule=schedule,
            every=_seconds(every),
            only_missing=only_missing,
            most_at_once=most_at_once,
            reverse=reverse,
            parameters=values_of_text(found.version.schema, pairs_by_name(pairs, "-p")),
        )
        made = make_backfill(store, wanted, id=clock.new_id(), now=clock.now(), by=who_here())
        note_change(store, "make_backfill", name, backfill=made.id, since=made.since, until=made.until)
        if not as_json:
            _tell(made)
        made = _ended(store, made) if wait else made
        went_well = not wait or has_gone_well(store, made)
        if wait and not as_json:
            print_backfill(store, made)
    if as_json:
        say_json(backfill_shape(made))
    return DONE if went_well else RUN_FAILED


def _tell(made: Backfill) -> None:
    span = f"from {local_time(made.since)} to {local_time(made.until)}"
    say(f"Backfill {made.id} of {one_line(made.deployment)}: {plural(made.total, 'instant')} {span}.")
    say(dim(f"  Look at it with: nadi backfills show {made.id}"))


def _zone(deployment: Deployment, schedule: str) -> ZoneInfo | None:
    """Return the zone in which the schedule counts; `None` where it is not clear which one is meant."""
    schedules = deployment.version.spec.schedules
    named = [one for one in schedules if one.name == schedule] or (list(schedules) if not schedule else [])
    return named[0].zone if len(named) == 1 else None


def _moment(text: str, zone: ZoneInfo | None, option: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:  # without a zone it is the local time of who types it
            return instant_of(found, zone) if zone is not None else found.astimezone(UTC)
        return found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        told = f"{text!r} is no time; expected one such as 2026-03-01 or 2026-03-01T06:00+01:00."
        raise click.BadParameter(told, param_hint=option) from None


def _seconds(every: str) -> float:
    if not every:
        return 0.0
    try:
        return parse_duration(every)
    except CallError as error:
        raise click.BadParameter(str(error), param_hint="--every") from None


def _ended(store: Store, made: Backfill) -> Backfill:
    """Wait until a backfill has ended, and return it as it is then."""
    while True:
        # Asked before the look, so that nothing that happens in between is missed.
        seen = store.last_change()
        found = the_backfill(store, made.id)
        if found.state in (BackfillState.COMPLETED, BackfillState.CANCELLED):
            return found
        store.wait_for_change(seen, timeout=_LOOK)
