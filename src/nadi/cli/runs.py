"""`nadi runs`: the list of runs."""

from __future__ import annotations

import time
from collections import Counter

import click

from nadi.cli.output import COLOURS, ago, coarse, columns, dim, on_terminal, print_table, say, say_json
from nadi.cli.reading import TEXT, store_for_reading
from nadi.engine.shapes import run_shape
from nadi.exceptions import CallError
from nadi.model.runs import FlowRun, RunFilter
from nadi.model.states import StateType
from nadi.model.text import parse_duration

_EXAMPLES = """\b
Examples:
  nadi runs
  nadi runs --flow nightly --state failed --state crashed --since 1d
  nadi runs --json --limit 1000 | jq '.[].id'
"""

#: An id up to here tells apart what two runs a quarter of a microsecond apart are called.
SHORT_ID = 18


@click.command(epilog=_EXAMPLES)
@click.option("--flow", type=TEXT, default="", metavar="NAME", help="Only runs of this flow.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.lower() for state in StateType], case_sensitive=False),
    metavar="STATE",
    help="Only runs in this state, such as failed; may be repeated.",
)
@click.option("--tag", "tags", type=TEXT, multiple=True, help="Only runs with this tag; repeated: with all of them.")
@click.option("--since", default="", metavar="TIME", help="Only runs of the last 90s, 30m, 12h, 7d.")
@click.option("-n", "--limit", default=20, show_default=True, type=click.IntRange(1), help="The most to list.")
@click.option("--all", "subflows", is_flag=True, help="List subflow runs too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    flow: str, states: tuple[str, ...], tags: tuple[str, ...], since: str, limit: int, subflows: bool, as_json: bool
) -> None:
    """List runs, newest first."""
    now = time.time()
    which = RunFilter(
        flow=flow,
        states=tuple(StateType(state.upper()) for state in states),
        tags=tags,
        since=now - _seconds(since) if since else 0.0,
        roots_only=not subflows,
    )
    with store_for_reading() as store:
        runs = store.flow_runs(which, limit=limit + 1) if store is not None else []
        anything = bool(runs) or (store is not None and bool(store.flow_runs(RunFilter(), limit=1)))
    if as_json:
        say_json([run_shape(run, now=now) for run in runs[:limit]])
        return
    if not runs:
        say("No run matches." if anything else "No runs yet. Run a flow: nadi run flow.py:my_flow")
        return
    _print(runs[:limit], now)
    if len(runs) > limit:
        say(dim(f"The newest {limit} are listed; more with --limit."))


def _seconds(since: str) -> float:
    try:
        return parse_duration(since)
    except CallError as error:
        raise click.BadParameter(str(error), param_hint="--since") from None


def _print(runs: list[FlowRun], now: float) -> None:
    # Names may repeat; then, and where there is room, the ids are listed that tell the runs apart.
    repeated = max(Counter(run.name for run in runs).values()) > 1
    with_ids = repeated or (on_terminal() and columns() >= 110)
    headers = ["STATE", "NAME", "FLOW", "STARTED", "TOOK", "TASKS", *(["ID"] if with_ids else [])]
    rows = [
        [
            run.state_name,
            run.name,
            run.flow,
            ago(run.started or run.created, now),
            coarse(run.duration(now)) if run.started else "",
            tasks_told(run.task_counts),
            *([run.id[:SHORT_ID]] if with_ids else []),
        ]
        for run in runs
    ]
    print_table(headers, rows, flexible=(1, 2), colours=[COLOURS[run.state_type] for run in runs])


def tasks_told(counts: dict[str, int]) -> str:
    """Return how many tasks there are and how many of them went wrong: `12`, `10/12`, `9/12, 2 failed`."""
    total, done = sum(counts.values()), counts.get(StateType.COMPLETED, 0)
    failed = counts.get(StateType.FAILED, 0) + counts.get(StateType.CRASHED, 0)
    told = f"{done}/{total}" if done < total else str(total) if total else ""
    return f"{told}, {failed} failed" if failed else told
