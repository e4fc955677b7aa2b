"""`nadi migrate`: rewrites code for Prefect 1, 2 or 3 for Nadi."""

from __future__ import annotations

from pathlib import Path

import click

from nadi.cli.output import bold, paragraph, say
from nadi.migrating.files import Migrated, migrate
from nadi.model.text import one_line, plural, safe

_EXAMPLES = """\b
Examples:
  nadi migrate flows/
  nadi migrate flow.py --write
  nadi migrate . --no-diff
"""

ALL_DONE, SOMETHING_LEFT = 0, 1


@click.command(epilog=_EXAMPLES)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--write", is_flag=True, help="Write the files; without it nothing is changed.")
@click.option("--diff/--no-diff", default=True, help="Show what changes, or only how much of it there is.")
def command(path: Path, write: bool, diff: bool) -> int:
    """Rewrite code for Prefect 1, 2 or 3 for Nadi.

    PATH is a file or a folder. Imports are rewritten, and what is known to differ; comments and layout stay. What
    cannot be rewritten is listed with its line and with what serves instead. Nothing is run.

    The exit status is 0 when nothing is left to do, 1 when files are still to be written or something is left for
    you, and 2 when the call was wrong.
    """
    found = list(migrate(path))
    changed = [one for one in found if one.changes]
    if diff:
        for one in changed:
            _print_diff(one)
    if write:
        changed = [one for one in changed if not _written(one)]
    _print_left(found, written=write)
    _print_summary(found, write=write)
    return SOMETHING_LEFT if changed or any(one.left or one.skipped for one in found) else ALL_DONE


def _print_diff(one: Migrated) -> None:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in one.diff().splitlines():
        head = line.startswith(("+++", "---"))
        say(bold(safe(line)) if head else click.style(safe(line), fg=colours.get(line[:1])))
    say()


def _written(one: Migrated) -> bool:
    try:
        one.write()
    except OSError as error:
        one.skipped = f"It cannot be written: {error.strerror}."
    return not one.skipped


def _print_left(found: list[Migrated], *, written: bool) -> None:
    for one in found:
        if one.skipped:
            say(click.style(f"{one_line(str(one.path))}: ", fg="red") + one_line(one.skipped))
        for left in one.left_after if written and not one.skipped else one.left:
            say(click.style(f"{one_line(str(one.path))}:{left.line}: ", fg="yellow") + one_line(left.message))


def _print_summary(found: list[Migrated], *, write: bool) -> None:
    if not found:
        say("Nothing to do: no Python file speaks of Prefect in a way that differs.")
        return
    changed = [one for one in found if one.changes and not one.skipped]
    left = sum(len(one.left) + bool(one.skipped) for one in found)
    told = f"{plural(len(changed), 'file')} {'rewritten' if write else 'would be rewritten'}"
    told += f", {plural(left, 'thing')} left for you." if left else "."
    if changed and not write:
        told += " Nothing was written yet: add --write."
    say(paragraph(told))
