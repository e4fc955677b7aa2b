"""`nadi events`: what happened."""

from __future__ import annotations

import time

import click

from nadi.cli.output import ago, dim, print_table, say, say_json
from nadi.cli.reading import RUN, TEXT, run_for_reading, run_names, store_for_reading
from nadi.engine.shapes import event_shape
from nadi.model.runs import FlowRun
from nadi.storage.contract import Store

_EXAMPLES = """\b
Examples:
  nadi events
  nadi events --event model. --limit 100
  nadi events --run brave-otter-7 --json
"""


@click.command(epilog=_EXAMPLES)
@click.option("--run", "wanted", type=RUN, default="", help="Only events of this run.")
@click.option("--event", "prefix", type=TEXT, default="", metavar="PREFIX", help="Only events whose name begins so.")
@click.option("-n", "--limit", default=50, show_default=True, type=click.IntRange(1), help="The most to list.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(wanted: str, prefix: str, limit: int, as_json: bool) -> None:
    """List events, newest first: what code said with emit_event()."""
    if wanted:
        with run_for_reading(wanted) as (store, run):
            _list(store, run, prefix, limit, as_json)
    else:
        with store_for_reading() as anywhere:
            _list(anywhere, None, prefix, limit, as_json)


def _list(store: Store | None, run: FlowRun | None, prefix: str, limit: int, as_json: bool) -> None:
    root, own = ("", "") if run is None else (run.id, "") if run.is_root else (run.root, run.id)
    events = store.events.newest(root=root, run=own, prefix=prefix, limit=limit + 1) if store is not None else []
    if as_json:
        say_json([event_shape(event) for event in events[:limit]])
        return
    if not events or store is None:
        say("No event matches." if run or prefix else "No events yet. Code tells them with nadi.events.emit_event().")
        return
    now, names = time.time(), run_names(store, [event.flow_run_id for event in events[:limit]])
    rows = [
        [ago(event.occurred.timestamp(), now), event.event, event.resource_id, names[event.flow_run_id]]
        for event in events[:limit]
    ]
    print_table(["WHEN", "EVENT", "RESOURCE", "RUN"], rows, flexible=(1, 2, 3))
    if len(events) > limit:
        say(dim(f"The newest {limit} are listed; more with --limit."))
