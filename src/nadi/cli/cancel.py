"""`nadi cancel`: stops a run that another process runs."""

from __future__ import annotations

import time

import click

from nadi.cli.changes import note_change, who_here
from nadi.cli.main import DONE, STORE_UNUSABLE
from nadi.cli.output import bold, paragraph, say, say_json, state_text
from nadi.cli.reading import RUN, run_for_reading
from nadi.engine.cancelling import Cancelled, How, cancel_run
from nadi.engine.clock import Clock
from nadi.engine.explaining import not_resumable
from nadi.engine.lookup import find_root
from nadi.engine.shapes import run_shape
from nadi.model.names import told_for_shell
from nadi.model.text import one_line
from nadi.storage.home import Home, this_holder
from nadi.storage.settings import read_settings

_EXAMPLES = """\b
Examples:
  nadi cancel brave-otter-7
  nadi cancel brave-otter-7 --grace 0
"""


@click.command(epilog=_EXAMPLES)
@click.argument("run", type=RUN)
@click.option(
    "--grace",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="How long its process has to end it; then the process is ended.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the run as JSON.")
def command(run: str, grace: float, as_json: bool) -> int:
    """Stop a run that is running.

    Its process is asked to stop it. When the grace is over, the process is ended, with its group where it leads one,
    else with all that it started. What is finished stays finished: nadi resume continues the run. RUN is a run's name,
    its id, or a unique beginning of its id.
    """
    with run_for_reading(run) as (store, found):
        root = find_root(store, found.id)
        if root.id != found.id and not as_json:
            say(f"{one_line(found.name)} is a subflow run; its whole run {one_line(root.name)} is cancelled.", err=True)
        done = cancel_run(
            store,
            Home(read_settings().home),
            root,
            by=who_here(),
            grace=grace,
            observer=this_holder("canceller"),
            clock=Clock(),
            pause=time.sleep,
        )
        note_change(store, "cancel_run", root.id, grace=grace)
    if as_json:
        say_json(run_shape(done.run, now=time.time()))
    else:
        _print(done)
    for left in done.left:
        say(f"Note: {left}.", err=True)
    return DONE if done.run.is_final else STORE_UNUSABLE


def _print(done: Cancelled) -> None:
    run = done.run
    say(f"{bold(one_line(run.name))}  {state_text(run.state_type, run.state_name)}")
    if done.how is How.FORCED:
        say(paragraph(f"It did not end within the grace, so {done.process} was ended.", indent="  "))
    elif done.how is How.OUT_OF_REACH:
        say(paragraph("It was asked to end and has not ended yet.", indent="  "))
    elif not run.is_final or run.state_name != "Cancelled":
        say(paragraph("It ended by itself before it could be cancelled.", indent="  "))
    if run.is_final and run.state_name != "Completed":
        serves = f"Continue it with: nadi resume {told_for_shell(run.name, run.id)}"
        say(paragraph(not_resumable(run) or serves, indent="  "))
