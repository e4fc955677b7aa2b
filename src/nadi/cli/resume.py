"""`nadi resume`: answers a paused run, and continues one that nobody has in this process."""

from __future__ import annotations

import time
from typing import Any

import click
import msgspec

from nadi.cli.changes import note_change, who_here
from nadi.cli.main import CALL_WRONG, DONE
from nadi.cli.output import bold, dim, paragraph, say, say_json
from nadi.cli.reading import RUN, TEXT, look_for_leftovers
from nadi.cli.running import change_settings, given_parameters, pairs_by_name, see_through
from nadi.engine.answering import is_blocked, settle, unanswered
from nadi.engine.lookup import find_root, find_run
from nadi.engine.places import nothing_recorded
from nadi.engine.resuming import find_resumable, take_up
from nadi.engine.run_inputs import (
    PLAIN,
    answer_pause,
    asked_fields,
    asks_for_nothing,
    options_for,
    read_texts,
    the_open_pause,
)
from nadi.engine.shapes import run_shape
from nadi.exceptions import NotResumable, RunNotFound
from nadi.model.names import told_for_shell
from nadi.model.pauses import Pause
from nadi.model.runs import FlowRun
from nadi.model.text import one_line
from nadi.storage.contract import Store
from nadi.storage.home import Home
from nadi.storage.opening import store_in_force
from nadi.storage.settings import read_settings

_EXAMPLES = """\b
Examples:
  nadi resume brave-otter-7
  nadi resume brave-otter-7 -p rows=2000
  nadi resume brave-otter-7 --input approved=yes
  nadi resume brave-otter-7 --from train
"""


@click.command(epilog=_EXAMPLES)
@click.argument("run", type=RUN)
@click.option(
    "-p", "--param", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter in place of the recorded one."
)
@click.option(
    "-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE", help="A field of the answer to what the run asks."
)
@click.option("--input-json", metavar="JSON", help="The whole answer, as JSON.")
@click.option(
    "--from",
    "again_from",
    type=TEXT,
    default="",
    metavar="TASK",
    help="Run this task again, and what depends on it, although they are finished.",
)
@click.option("--if-state", type=TEXT, default="", hidden=True, help="Only if it is in this state, for launchers.")
@click.option("-q", "--quiet", is_flag=True, help="Show only what the flow prints, and its failure.")
@click.option("--json", "as_json", is_flag=True, help="Print the finished run as JSON; prints go to standard error.")
@click.option(
    "--wait-for-store",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="How long to wait at the end for a store that is away.",
)
def command(
    run: str,
    pairs: tuple[str, ...],
    inputs: tuple[str, ...],
    input_json: str | None,
    again_from: str,
    if_state: str,
    quiet: bool,
    as_json: bool,
    wait_for_store: float | None,
) -> int:
    """Continue a run that was killed, cancelled, suspended or failed, or answer one that is paused.

    The flow function runs again from the top; a task call that equals a finished one is not repeated. A run that waits
    for its answer in a process of its own goes on there. TASK is a task's name, which means all calls of it, or the
    name, id, or a unique beginning of the id of one task run. RUN is a run's name, its id, or a unique beginning of
    its id.
    """
    change_settings(quiet=quiet, wait_for_store=wait_for_store)
    settings = read_settings()
    home = Home(settings.home)
    if nothing_recorded(settings):
        raise RunNotFound(run, where=f"{home.path}, where no run has been recorded yet")
    store = store_in_force(settings)
    try:
        look_for_leftovers(home, store)
        status = None
        if not again_from or inputs or input_json is not None:
            status = _answer(store, run, inputs, input_json, quiet=quiet, as_json=as_json)
    finally:
        store.close()
    if status is not None:
        return status
    return _continue(run, pairs, again_from, if_state, quiet=quiet, as_json=as_json)


def _answer(
    store: Store, wanted: str, inputs: tuple[str, ...], input_json: str | None, *, quiet: bool, as_json: bool
) -> int | None:
    """Answer what the run asks; the exit status where that is all that there is to do here."""
    found, root = find_run(store, wanted), find_root(store, wanted)
    given = bool(inputs) or input_json is not None
    if root.is_final and not given:
        return None
    asked = unanswered(store, root)
    if asked is not None and not given:
        say(_asks(root, asked), err=True)
        return CALL_WRONG
    pause = the_open_pause(store, found)
    if pause is None or (not given and not _waits_here(store, root, pause)):
        if given:
            raise asks_for_nothing(store, found)
        settle(store, root, None, by=who_here())
        return None
    if pause.schema and not given:
        say(_asks(root, pause), err=True)
        return CALL_WRONG
    answer_pause(store, found, pause, _read(pause, inputs, input_json), by=who_here(), now=time.time())
    note_change(store, "answer_run", found.id, key=pause.key)
    if not _waits_here(store, root, pause):
        return None
    if as_json:
        say_json(run_shape(store.flow_run(root.id) or root, now=time.time()))
    elif not quiet:
        say(f"Answered; {bold(one_line(root.name))} goes on in its own process.")
    return DONE


def _waits_here(store: Store, root: FlowRun, pause: Pause) -> bool:
    """Whether the process that holds the run waits for the answer."""
    waiting = store.flow_run(pause.run)
    return not root.is_final and waiting is not None and is_blocked(waiting)


def _read(pause: Pause, inputs: tuple[str, ...], input_json: str | None) -> Any:
    if input_json is None:
        return read_texts(pause, pairs_by_name(inputs, "--input")) if inputs else None
    if inputs:
        raise click.UsageError("Give --input or --input-json, not both.")
    try:
        value = msgspec.json.decode(input_json)
    except msgspec.DecodeError as error:
        raise click.BadParameter(f"it is not JSON: {error}.", param_hint="--input-json") from None
    # Null may be the answer; without a name it would be none at all.
    is_plain = [field.name for field in asked_fields(pause)] == [PLAIN]
    return {PLAIN: None} if value is None and is_plain else value


def _asks(root: FlowRun, pause: Pause) -> str:
    """Say what a run asks for, and how to answer."""
    lines = [f"{bold(one_line(root.name))} waits for input."]
    if pause.description:
        lines += [paragraph(line, indent="  ") for line in pause.description.splitlines()]
    if pause.refused:
        lines.append(paragraph(f"The last answer was refused: {one_line(pause.refused)}", indent="  "))
    fields = asked_fields(pause)
    width = max((len(field.name) for field in fields), default=0)
    for field in fields:
        default = f" (default {field.default})" if field.default else "" if field.required else " (may be left out)"
        about = f": {one_line(field.description)}" if field.description else ""
        lines.append(f"  {field.name:{width}}  {one_line(field.expects)}{default}{about}")
    lines.append(dim(f"Answer with: nadi resume {told_for_shell(root.name, root.id)}{options_for(pause)}"))
    return "\n".join(lines)


def _continue(run: str, pairs: tuple[str, ...], again_from: str, if_state: str, *, quiet: bool, as_json: bool) -> int:
    spec, record = find_resumable(run)
    if if_state and record.state_type != if_state:
        raise NotResumable(f"Run {record.name} is {record.state_type} by now, not {if_state}: it is left alone.")
    parameters = given_parameters(spec, pairs)
    taken = take_up(spec, record, parameters=parameters, again_from=again_from)
    if not quiet and not as_json:
        say(dim(f"Continuing {one_line(record.name)} (attempt {taken.attempt}, it was {record.state_name})."), err=True)
    return see_through(taken, quiet=quiet or as_json, as_json=as_json)
