"""`nadi doctor`: looks this installation over."""

from __future__ import annotations

import click

from nadi.cli.main import DONE, STORE_UNUSABLE
from nadi.cli.output import paragraph, say, say_json
from nadi.engine.doctor import Health, examine
from nadi.storage.settings import read_settings

_EXAMPLES = """\b
Examples:
  nadi doctor
  NADI_HOME=/data/nadi nadi doctor --json
"""

_COLOURS = {Health.OK: "green", Health.NOTE: "yellow", Health.WRONG: "red"}


@click.command(epilog=_EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> int:
    """Check this installation, its home and its store.

    Nothing is created or changed. The exit status is 3 when runs could not be recorded here.
    """
    signs = list(examine(read_settings()))
    if as_json:
        say_json(signs)
    else:
        for sign in signs:
            text = paragraph(sign.told, indent=" " * 20).lstrip()
            say(f"{click.style(sign.health.ljust(6), fg=_COLOURS[sign.health])}{sign.what.ljust(13)} {text}")
    return STORE_UNUSABLE if any(sign.health is Health.WRONG for sign in signs) else DONE
