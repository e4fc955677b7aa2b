"""What commands print: safe for a terminal, readable at 80 columns, in a pipe and without colour."""

from __future__ import annotations

import shutil
import sys
import textwrap
import time
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec

from nadi.model.states import StateType
from nadi.model.text import human_duration, one_line, safe

#: Colour of each state; the word is always there as well.
COLOURS = {
    StateType.SCHEDULED: "yellow",
    StateType.PENDING: "yellow",
    StateType.RUNNING: "blue",
    StateType.PAUSED: "yellow",
    StateType.CANCELLING: "magenta",
    StateType.COMPLETED: "green",
    StateType.FAILED: "red",
    StateType.CRASHED: "red",
    StateType.CANCELLED: "magenta",
}


def say(text: str = "", *, err: bool = False) -> None:
    """Print one line or several."""
    click.echo(text, err=err)


def say_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def bold(text: str) -> str:
    """Return text in bold, where colour is shown at all."""
    return click.style(text, bold=True)


def dim(text: str) -> str:
    """Return text that stands back, where colour is shown at all."""
    return click.style(text, dim=True)


def state_text(state: StateType, name: str, *, width: int = 0) -> str:
    """Return the name of a state in its colour, filled up to `width`."""
    text = one_line(name)
    return click.style(text, fg=COLOURS[state]) + " " * (width - len(text))


def on_terminal() -> bool:
    """Whether a person reads our output as it comes."""
    return sys.stdout.isatty()


def columns() -> int:
    """Return the width to fit into: that of the terminal; a pipe has 80 for sentences, and tables are not cut there."""
    return max(40, shutil.get_terminal_size((80, 24)).columns)


def paragraph(text: str, *, indent: str = "", hanging: str = "") -> str:
    """Return a sentence broken into lines that fit; in a pipe it stays one line, for those who search in it."""
    text = safe(text)
    if not on_terminal():
        return indent + text
    return textwrap.fill(
        text,
        columns(),
        initial_indent=indent,
        subsequent_indent=hanging or indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def cell_width(text: str) -> int:
    """Return how many columns a line of text takes: East Asian characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def fit(text: str, width: int) -> str:
    """Return text cut or filled to exactly `width` columns."""
    if cell_width(text) > width:
        while text and cell_width(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - cell_width(text))


def print_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    flexible: Sequence[int],
    colours: Sequence[str | None] = (),
) -> None:
    """Print aligned columns.

    Args:
        headers: Title of each column.
        rows: The cells.
        flexible: Which columns may be cut on a terminal that is too narrow; in a pipe none is.
        colours: Colour of the first cell of each row.
    """
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(cell_width(row[i]) for row in [list(headers), *cells]) for i in range(len(headers))]
    if on_terminal():
        room = columns()
        while sum(widths) + 2 * (len(widths) - 1) > room:
            widest = max(flexible, key=lambda i: widths[i])
            if widths[widest] <= 8:
                break
            widths[widest] -= 1
    say(dim("  ".join(fit(title, width) for title, width in zip(headers, widths, strict=True)).rstrip()))
    for number, row in enumerate(cells):
        fitted = [fit(cell, width) for cell, width in zip(row, widths, strict=True)]
        if colours and colours[number]:
            fitted[0] = click.style(fitted[0], fg=colours[number])
        say("  ".join(fitted).rstrip())


def ago(at: float, now: float) -> str:
    """Return how long ago something was, in one unit: `5 min ago`; "" for never."""
    if not at:
        return ""
    seconds = max(0, round(now - at))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= 2 * length or (seconds >= length and unit != "s"):
            return f"{seconds // length} {unit} ago"
    return "just now"


def local_time(at: float) -> str:
    """Return a moment in local time, "" for never."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) if at else ""


def clock_time(at: float) -> str:
    """Return the time of day in local time."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def coarse(seconds: float) -> str:
    """Return a duration as exactly as one wants to read it in a column: two digits below a second."""
    return human_duration(round(seconds, 1) if seconds >= 1 else float(f"{seconds:.2g}"))
