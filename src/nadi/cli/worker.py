"""`nadi worker`: starts runs of deployments."""

from __future__ import annotations

import click

from nadi.cli.output import say
from nadi.cli.reading import TEXT
from nadi.storage.opening import store_in_force
from nadi.storage.settings import read_settings
from nadi.workers.processes.launcher import become_reaper
from nadi.workers.worker import GRACE, LIMIT, Worker, own_services, told_worker

_EXAMPLES = """\b
Examples:
  nadi worker
  nadi worker --queue etl --queue reports --limit 8
  NADI_API_URL=https://nadi.example.com nadi worker --name gpu-1 --queue gpu
"""


@click.command(epilog=_EXAMPLES)
@click.option("--queue", "queues", multiple=True, type=TEXT, metavar="NAME", help="Only runs of this queue.")
@click.option(
    "--limit", default=LIMIT, show_default=True, type=click.IntRange(1), metavar="N", help="How many runs at once."
)
@click.option("--name", default="", type=TEXT, help="What the worker is called; default is machine and process id.")
@click.option(
    "--grace",
    default=GRACE,
    show_default=True,
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="How long a run that is cancelled or goes beyond a limit has to end, before it is killed.",
)
@click.option(
    "--services/--no-services", default=True, show_default=True, help="Run scheduler, backfills and reaper here."
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing of single runs.")
def command(queues: tuple[str, ...], limit: int, name: str, grace: float, services: bool, quiet: bool) -> None:
    """Start the runs of deployments, each in a process of its own.

    Works on this home's database, on a PostgreSQL database, or over a server (NADI_API_URL). SIGTERM or Ctrl-C lets it
    take nothing more and end with its last run; once more ends the runs, which other workers take up. Any number of
    workers may serve one store.
    """
    settings = read_settings()
    is_reaper = become_reaper()
    store = store_in_force(settings)
    try:
        worker = Worker(
            store,
            settings,
            queues=queues,
            limit=limit,
            name=name,
            grace=grace,
            services=own_services(store, settings) if services else (),
            tell=(lambda text: None) if quiet else (lambda text: say(text, err=True)),
            is_reaper=is_reaper,
        )
        say(told_worker(worker.seen, store) + " Ctrl-C ends it.", err=True)
        worker.serve()
    finally:
        store.close()
