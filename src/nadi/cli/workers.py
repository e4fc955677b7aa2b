"""`nadi workers`: the workers that there are, and what they do."""

from __future__ import annotations

import time

import click

from nadi.cli.output import ago, print_table, say, say_json
from nadi.cli.reading import store_for_reading
from nadi.engine.deployment_shapes import worker_shape
from nadi.model.work import WorkerSeen

_EXAMPLES = """\b
Examples:
  nadi workers
  nadi workers --json
"""


@click.command(epilog=_EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List the workers that there are: what they serve, and how many runs they have."""
    with store_for_reading() as store:
        found = store.work.workers() if store is not None else []
    if as_json:
        say_json([worker_shape(one) for one in found])
    elif not found:
        say("There is no worker. Start one: nadi worker")
    else:
        _print(found, time.time())


def _print(found: list[WorkerSeen], now: float) -> None:
    rows = [
        (
            one.name,
            one.host,
            ", ".join(one.queues) or "all",
            f"{one.running:,} of {one.slots:,}",
            "draining" if one.draining else "active",
            ago(one.started, now),
        )
        for one in found
    ]
    print_table(("WORKER", "HOST", "QUEUES", "RUNS", "IS", "STARTED"), rows, flexible=(0, 1, 2))
