"""`nadi trigger`: asks for a run of a deployment."""

from __future__ import annotations

import time
from datetime import datetime

import click

from nadi.cli.changes import note_change
from nadi.cli.deployments import DEPLOYMENT, deployment_for_reading
from nadi.cli.main import DONE, RUN_FAILED
from nadi.cli.output import bold, dim, local_time, paragraph, say, say_json, state_text
from nadi.cli.reading import TEXT
from nadi.cli.running import pairs_by_name
from nadi.engine.clock import Clock
from nadi.engine.deployment_runs import Asked, trigger
from nadi.engine.shapes import run_shape
from nadi.engine.typed_text import values_of_text
from nadi.exceptions import CallError, RunNotFound
from nadi.model.names import told_for_shell
from nadi.model.runs import FlowRun
from nadi.model.text import one_line, parse_duration
from nadi.model.work import Work
from nadi.storage.contract import Store
from nadi.storage.home import Home
from nadi.storage.recorder import result_storage
from nadi.storage.settings import read_settings

_EXAMPLES = """\b
Examples:
  nadi trigger nightly
  nadi trigger nightly -p day=2026-03-01 --wait
  nadi trigger nightly --in 10m --key import-4711
"""

#: Seconds between two looks at a run that is waited for, where nothing tells of news.
_LOOK = 1.0
#: Unix seconds of the last moment that calendars have.
_LAST = 253_402_300_799.0


@click.command(epilog=_EXAMPLES)
@click.argument("name", type=DEPLOYMENT)
@click.option("-p", "--param", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated.")
@click.option("--at", type=TEXT, default="", metavar="TIME", help="Not before this time, such as 2026-03-01T06:00.")
@click.option("--in", "after", type=TEXT, default="", metavar="TIME", help="Not before so long from now, such as 10m.")
@click.option("--key", type=TEXT, default="", help="Asking again with the same key gives the same run.")
@click.option("--tag", "tags", type=TEXT, multiple=True, help="A tag of the run; may be repeated.")
@click.option("--run-name", type=TEXT, default="", help="Name of the run; made up if not given.")
@click.option("--queue", type=TEXT, default="", help="The queue to wait in; the deployment's if not given.")
@click.option("--priority", type=int, default=None, help="Greater goes first; the deployment's if not given.")
@click.option("-w", "--wait", is_flag=True, help="Wait until the run has ended; the exit status is 1 if it failed.")
@click.option("--json", "as_json", is_flag=True, help="Print the run as JSON.")
def command(
    name: str,
    pairs: tuple[str, ...],
    at: str,
    after: str,
    key: str,
    tags: tuple[str, ...],
    run_name: str,
    queue: str,
    priority: int | None,
    wait: bool,
    as_json: bool,
) -> int:
    """Ask for a run of the deployment NAME; a worker starts it.

    Values of parameters are read by their type: text stays text, collections are written as JSON.
    """
    settings, clock = read_settings(), Clock()
    due = _due(at, after, clock.now())
    with deployment_for_reading(name) as (store, found):
        parameters = values_of_text(found.version.schema, pairs_by_name(pairs, "-p"))
        asked = Asked(parameters=parameters, name=run_name, tags=tags, due=due, key=key, queue=queue, priority=priority)
        results = result_storage(settings, Home(settings.home))
        run, enqueued = trigger(store, results, name, asked, id=clock.new_id(), now=clock.now(), chance=clock.random)
        if enqueued.made:
            note_change(store, "trigger", name, run=run.id)
        if not as_json:
            _print(store, run, made=enqueued.made, due=due)
        run = _ended(store, run) if wait else run
    if as_json:
        say_json(run_shape(run, now=time.time()))
    elif wait:
        say(f"{state_text(run.state_type, run.state_name)}  {bold(one_line(run.name))}")
        if run.message and not _is_completed(run):
            say(paragraph(one_line(run.message), indent="  "))
    return RUN_FAILED if wait and not _is_completed(run) else DONE


def _is_completed(run: FlowRun) -> bool:
    return run.is_final and run.state_type.name == "COMPLETED"


def _due(at: str, after: str, now: float) -> float:
    if at and after:
        raise click.UsageError("--at and --in say the same in two ways; give one of them.")
    if after:
        try:
            seconds = parse_duration(after)
        except CallError as error:
            raise click.BadParameter(str(error), param_hint="--in") from None
        if now + seconds > _LAST:
            raise click.BadParameter(f"{after!r} leads beyond the year 9999.", param_hint="--in")
        return now + seconds
    if not at:
        return 0.0
    try:
        moment = datetime.fromisoformat(at)
        return moment.timestamp()  # without an offset it is the local time of who types it
    except (ValueError, OverflowError, OSError):
        told = f"{at!r} is no time; expected one such as 2026-03-01T06:00 or 2026-03-01T06:00+01:00."
        raise click.BadParameter(told, param_hint="--at") from None


def _print(store: Store, run: FlowRun, *, made: bool, due: float) -> None:
    name = told_for_shell(run.name, run.id)
    if not made:
        say(f"{bold(one_line(run.name))} was asked for with this key before; it is {run.state_name}.")
        return
    when = f" It is not started before {local_time(due)}." if due else ""
    say(f"{bold(one_line(run.name))} waits for a worker.{when}")
    work = store.work.work([run.id]).get(run.id)
    if work is not None and not _is_served(store, work):
        where = f" on {one_line(work.host, 80)}, where its code is" if work.host else ""
        say(paragraph(f"No worker serves its queue {work.queue!r} now. Start one{where}: nadi worker", indent="  "))
    say(dim(f"  Look at it with: nadi show {name}"))


def _is_served(store: Store, work: Work) -> bool:
    return any(
        not worker.draining
        and (not worker.queues or work.queue in worker.queues)
        and (not work.host or worker.host == work.host)
        for worker in store.work.workers()
    )


def _ended(store: Store, run: FlowRun) -> FlowRun:
    """Wait until a run has ended, and return it as it is then."""
    while True:
        # Asked before the look, so that nothing that happens in between is missed.
        seen = store.last_change()
        found = store.flow_run(run.id)
        if found is None:
            raise RunNotFound(run.id, where=store.url)
        if found.is_final:
            return found
        store.wait_for_change(seen, timeout=_LOOK)
