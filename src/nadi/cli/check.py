"""`nadi check`: checks flow files and deployments without running a flow; for CI."""

from __future__ import annotations

import time
from pathlib import Path

import click

from nadi.cli.main import CALL_WRONG, DONE
from nadi.cli.output import bold, dim, local_time, paragraph, say, say_json
from nadi.cli.running import prints_aside
from nadi.engine.checking import Checked, CheckedDeployment, check
from nadi.engine.deployment_checks import check_deployments
from nadi.model.text import one_line, plural

_EXAMPLES = """\b
Examples:
  nadi check
  nadi check flows/
  nadi check flow.py --json
  nadi check --here
"""


@click.command(epilog=_EXAMPLES)
@click.argument("path", default=".", type=click.Path(exists=True, path_type=Path))
@click.option("--here", is_flag=True, help="Take the code of deployments from this checkout, and fetch none.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(path: Path, here: bool, as_json: bool) -> int:
    """Check flow files and deployments: imports, parameters, schedules, secrets in code.

    PATH is a file or a folder, the working folder if not given. Files that import nadi are loaded, which runs their
    imports and definitions, and no flow; so are the deployments of a nadi.toml or pyproject.toml, and nothing is
    deployed. The exit status is 2 when anything is found.
    """
    with prints_aside(True):
        checked = Checked(files=0, flows=[], findings=[]) if path.suffix == ".toml" else check(path)
        check_deployments(path, checked, now=time.time(), here=here)
    if as_json:
        say_json(checked)
    else:
        _print(checked)
    return CALL_WRONG if checked.findings else DONE


def _print(checked: Checked) -> None:
    for flow in checked.flows:
        say(f"{bold(one_line(flow.name))}  {one_line(flow.entrypoint)}({', '.join(flow.parameters)})")
    for deployment in checked.deployments:
        _print_deployment(deployment)
    if checked.flows or checked.deployments:
        say()
    for finding in checked.findings:
        place = f"{finding.file}:{finding.line}: {finding.kind}: "
        say(click.style(one_line(place), fg="red") + one_line(finding.message))
    found = plural(len(checked.findings), "finding") if checked.findings else "nothing to complain about"
    counted = [plural(checked.files, "file"), plural(len(checked.flows), "flow")]
    if checked.deployments:
        counted.append(plural(len(checked.deployments), "deployment"))
    say(paragraph(f"{', '.join(counted)}: {found}."))


def _print_deployment(deployment: CheckedDeployment) -> None:
    flow = f"flow {deployment.flow}, " if deployment.flow else ""
    say(f"{bold(one_line(deployment.name))}  {one_line(f'{flow}{deployment.file}, line {deployment.line}')}")
    for schedule in deployment.schedules:
        next_one = f"next {local_time(schedule.next[0].timestamp())}" if schedule.next else "it does not fire any more"
        say(dim(f"  {one_line(schedule.description)}: {next_one}"))
