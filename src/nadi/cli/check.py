"""`nadi check`: checks flow files without running a flow; for CI."""

from __future__ import annotations

from pathlib import Path

import click

from nadi.cli.main import CALL_WRONG, DONE
from nadi.cli.output import bold, paragraph, say, say_json
from nadi.cli.running import prints_aside
from nadi.engine.checking import Checked, check
from nadi.model.text import one_line, plural

_EXAMPLES = """\b
Examples:
  nadi check
  nadi check flows/
  nadi check flow.py --json
"""


@click.command(epilog=_EXAMPLES)
@click.argument("path", default=".", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(path: Path, as_json: bool) -> int:
    """Check flow files: imports, parameters, secrets in code.

    PATH is a file or a folder, the working folder if not given. Files that import nadi are loaded, which runs their
    imports and definitions, and no flow. The exit status is 2 when anything is found.
    """
    with prints_aside(True):
        checked = check(path)
    if as_json:
        say_json(checked)
    else:
        _print(checked)
    return CALL_WRONG if checked.findings else DONE


def _print(checked: Checked) -> None:
    for flow in checked.flows:
        say(f"{bold(one_line(flow.name))}  {one_line(flow.entrypoint)}({', '.join(flow.parameters)})")
    if checked.flows:
        say()
    for finding in checked.findings:
        place = f"{finding.file}:{finding.line}: {finding.kind}: "
        say(click.style(one_line(place), fg="red") + one_line(finding.message))
    found = plural(len(checked.findings), "finding") if checked.findings else "nothing to complain about"
    say(paragraph(f"{plural(checked.files, 'file')}, {plural(len(checked.flows), 'flow')}: {found}."))
