"""`nadi resume`: continues a run in this process."""

from __future__ import annotations

import click

from nadi.cli.output import dim, say
from nadi.cli.reading import RUN
from nadi.cli.running import change_settings, given_parameters, see_through
from nadi.engine.places import nothing_recorded
from nadi.engine.resuming import find_resumable, take_up
from nadi.exceptions import RunNotFound
from nadi.model.text import one_line
from nadi.storage.home import Home
from nadi.storage.settings import read_settings

_EXAMPLES = """\b
Examples:
  nadi resume brave-otter-7
  nadi resume brave-otter-7 -p rows=2000
"""


@click.command(epilog=_EXAMPLES)
@click.argument("run", type=RUN)
@click.option(
    "-p", "--param", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter in place of the recorded one."
)
@click.option("-q", "--quiet", is_flag=True, help="Show only what the flow prints, and its failure.")
@click.option("--json", "as_json", is_flag=True, help="Print the finished run as JSON; prints go to standard error.")
@click.option(
    "--wait-for-store",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="How long to wait at the end for a store that is away.",
)
def command(run: str, pairs: tuple[str, ...], quiet: bool, as_json: bool, wait_for_store: float | None) -> int:
    """Continue a run that was killed, cancelled or failed.

    The flow function runs again from the top; a task call that equals a finished one is not repeated. RUN is a run's
    name, its id, or a unique beginning of its id.
    """
    change_settings(quiet=quiet, wait_for_store=wait_for_store)
    settings = read_settings()
    if nothing_recorded(settings):
        raise RunNotFound(run, where=f"{Home(settings.home).path}, where no run has been recorded yet")
    spec, record = find_resumable(run)
    parameters = given_parameters(spec, pairs)
    taken = take_up(spec, record, parameters=parameters)
    if not quiet and not as_json:
        say(dim(f"Continuing {one_line(record.name)} (attempt {taken.attempt}, it was {record.state_name})."), err=True)
    return see_through(taken, quiet=quiet or as_json, as_json=as_json)
