"""`nadi serve`: a worker for background tasks."""

from __future__ import annotations

import click

from nadi.cli.output import say
from nadi.cli.reading import TEXT
from nadi.engine.serving import serve_tasks
from nadi.engine.task_lookup import load_tasks
from nadi.model.text import plural

_EXAMPLES = """\b
Examples:
  nadi serve jobs.py
  nadi serve jobs.py:send_mail package.reports --limit 20
"""


@click.command(epilog=_EXAMPLES)
@click.argument("targets", nargs=-1, required=True, type=TEXT)
@click.option(
    "--limit", default=10, show_default=True, type=click.IntRange(1), metavar="N", help="How many runs go on at once."
)
def command(targets: tuple[str, ...], limit: int) -> None:
    """Run background tasks: what task.delay() asks for.

    TARGETS are files or modules, of which all tasks are served, or path/to/file.py:task. Ctrl-C ends it: what runs may
    finish for 10 seconds, and is then handed to the next worker.
    """
    specs = list({spec.key: spec for target in targets for spec in load_tasks(target)}.values())
    names = ", ".join(spec.name for spec in specs)
    say(f"Serving {plural(len(specs), 'task')}: {names}. Ctrl-C ends it.", err=True)
    serve_tasks(specs, limit=limit)
