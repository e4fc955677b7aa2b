"""`nadi why`: why a run, and each task of it that is not done, is where it is."""

from __future__ import annotations

import time

import click

from nadi.cli.output import bold, dim, paragraph, say, say_json, state_text
from nadi.cli.reading import RUN, run_for_reading
from nadi.engine.explaining import Explanation, Reason, explain
from nadi.model.states import StateType
from nadi.model.text import one_line, plural
from nadi.storage.home import this_holder

_EXAMPLES = """\b
Examples:
  nadi why brave-otter-7
"""

#: The most reasons that are listed; JSON has all of them.
MOST_REASONS = 20


@click.command(epilog=_EXAMPLES)
@click.argument("run", type=RUN)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(run: str, as_json: bool) -> None:
    """Explain why a run, or a task of it, is where it is.

    Everything that waits is told with what it waits for: which upstream, which retry, which process. RUN is a run's
    name, its id, or a unique beginning of its id.
    """
    with run_for_reading(run) as (store, found):
        told = explain(store, found, observer=this_holder("reader"), now=time.time())
    if as_json:
        say_json(told)
    else:
        _print(told)


def _print(told: Explanation) -> None:
    say(f"{bold(one_line(told.name))}  {state_text(StateType(told.state), told.state_name)}")
    for sentence in told.told:
        say(paragraph(one_line(sentence), indent="  "))
    if told.tasks:
        say()
    for reason in told.tasks[:MOST_REASONS]:
        say(paragraph(_line(reason), indent="  ", hanging="    "))
    if len(told.tasks) > MOST_REASONS:
        say(dim(f"  and {plural(len(told.tasks) - MOST_REASONS, 'more')}; --json has all of them"))
    if told.advice:
        say()
        say(dim(paragraph(one_line(told.advice))))


def _line(reason: Reason) -> str:
    subject = f"{reason.subject} ×{reason.count:,}" if reason.count > 1 else reason.subject
    return f"{one_line(subject)} ({one_line(reason.state)}): {one_line(reason.why)}."
