"""Seeing a root run of this process through: with progress, to one result line and an exit status."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from nadi.cli.main import DONE, RUN_FAILED
from nadi.cli.output import bold, coarse, dim, paragraph, say, say_json, state_text
from nadi.cli.progress import Progress, shown
from nadi.engine import recording
from nadi.engine.flow_runs import FlowRun
from nadi.engine.root_drive import drive_root
from nadi.engine.shapes import run_shape
from nadi.exceptions import StoreError
from nadi.model.names import told_for_shell
from nadi.model.runs import FlowRun as FlowRunRecord
from nadi.model.specs import FlowSpec
from nadi.model.states import State
from nadi.model.text import one_line, plural, safe
from nadi.model.tracebacks import format_exception


def given_parameters(spec: FlowSpec, pairs: tuple[str, ...]) -> dict[str, Any]:
    """Return the values of `-p name=value` options, read by the types of the flow's parameters.

    Raises:
        BadParameter: a pair has no `=`, or one name is given twice.
        ParameterError: the flow has no such parameter, or cannot take the value.
    """
    return spec.parameters.from_text(pairs_by_name(pairs, "-p"))


def pairs_by_name(pairs: tuple[str, ...], option: str) -> dict[str, str]:
    """Return the text of each `name=value` pair by its name.

    Raises:
        BadParameter: a pair has no `=`, or one name is given twice.
    """
    texts: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"{pair!r} is not name=value, such as rows=1000.", param_hint=option)
        if name.strip() in texts:
            raise click.BadParameter(f"{name.strip()} is given twice.", param_hint=option)
        texts[name.strip()] = text
    return texts


def change_settings(*, quiet: bool, wait_for_store: float | None) -> None:
    """Put options in the place of settings; before anything is recorded."""
    if quiet:
        os.environ["NADI_LOG_TO_CONSOLE"] = "false"
    if wait_for_store is not None:
        os.environ["NADI_WAIT_FOR_STORE"] = str(wait_for_store)


@contextmanager
def prints_aside(aside: bool) -> Iterator[None]:
    """While the body runs, send what user code prints to standard error: standard output carries our JSON."""
    before = sys.stdout
    if aside:
        sys.stdout = sys.stderr
    try:
        yield
    finally:
        sys.stdout = before


def see_through(run: FlowRun, *, quiet: bool, as_json: bool) -> int:
    """Run a root run to its end and tell what came of it; returns the exit status."""
    progress = Progress()
    began = time.monotonic()
    with prints_aside(as_json), shown(progress, run, quiet=quiet):
        drive_root(run)
    state = run.state
    assert state is not None
    took = time.monotonic() - began
    store_url, record = _recorded(run)
    undelivered = recording.close()
    if as_json:
        say_json(run_shape(record if record is not None else _told_by_itself(run, state), now=0.0))
    elif not quiet:
        _tell_result(run, state, progress, took, store_url)
    elif not state.is_completed():
        say(_failure(state), err=True)
    if undelivered:
        say(f"Note: {undelivered}", err=True)
    # A suspended run has done its part here; it goes on when somebody resumes it.
    return DONE if state.is_completed() or state.is_paused() else RUN_FAILED


def _recorded(run: FlowRun) -> tuple[str, FlowRunRecord | None]:
    try:
        store = run.session.recorder.store()
        return store.url, store.flow_run(run.id)
    except StoreError:
        return "", None


def _told_by_itself(run: FlowRun, state: State[Any]) -> FlowRunRecord:
    """Return what is known of a run without a store."""
    return FlowRunRecord(
        id=run.id,
        root=run.id,
        name=run.name,
        flow=run.spec.name,
        attempt=run.attempt,
        token=run.session.token,
        state_type=state.type,
        state_name=state.name,
        message=state.message,
        ended=state.at,
        tags=tuple(sorted(run.tags)),
    )


def _failure(state: State[Any]) -> str:
    error = state.error()
    return safe(format_exception(error).rstrip()) if state.is_failed() else str(error)


def _tell_result(run: FlowRun, state: State[Any], progress: Progress, took: float, store_url: str) -> None:
    label = state_text(state.type, state.name)
    say(f"{label}  {bold(one_line(run.name))} in {coarse(took)}{_tasks_told(progress)}")
    if state.message and not state.is_completed():
        say(paragraph(one_line(state.message), indent="  "))
    for line in resumed_told(progress, run.attempt):
        say(paragraph(line, indent="  "))
    if not store_url:
        return
    say(dim(f"  Recorded in {store_url}"))
    name = told_for_shell(run.name, run.id)
    say(dim(f"  Look at it with: nadi show {name}"))
    if not state.is_completed():
        say(dim(f"  Continue it with: nadi resume {name}{answer_told(run)}"))


def answer_told(run: FlowRun) -> str:
    """Return the options that answer what a suspended run asks; "" for others."""
    state = run.state
    return getattr(state.data, "given", "") if state is not None and state.is_paused() else ""


def _tasks_told(progress: Progress) -> str:
    total = progress.total + progress.kept
    if not total:
        return ""
    failed = f", {progress.failed:,} of them not completed" if progress.failed else ""
    return f": {plural(total, 'task')}{failed}"


def resumed_told(progress: Progress, attempt: int) -> list[str]:
    """Return what was kept of earlier attempts, and what ran again and why."""
    if attempt == 1:
        return []
    lines = [
        f"Kept {plural(progress.kept, 'finished call')} of earlier attempts; ran {plural(progress.total, 'task')}."
    ]
    for why, count in progress.again.most_common(5):
        lines.append(f"{plural(count, 'task')} ran again: {one_line(why)}.")
    return lines
