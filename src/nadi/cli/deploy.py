"""`nadi deploy`: puts deployments in force, after it has shown what that changes."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from nadi.cli.changes import note_change, who_here
from nadi.cli.main import DONE
from nadi.cli.output import bold, dim, paragraph, say, say_json
from nadi.cli.reading import TEXT, store_for_reading
from nadi.engine.deploying import deploy_versions, prepare
from nadi.engine.deployment_changes import Change, Changed, DeploymentChange, difference
from nadi.engine.deployment_drafts import Draft, made_draft
from nadi.engine.deployment_files import (
    FILE,
    PYPROJECT,
    find_deployment_file,
    raise_findings,
    read_deployment_file,
)
from nadi.engine.flow_lookup import closest, did_you_mean
from nadi.exceptions import DefinitionError, NotFound
from nadi.model.deployments import Deployed, DeploymentVersion
from nadi.model.text import one_line, plural, shorten
from nadi.storage.home import Home
from nadi.storage.opening import store_in_force
from nadi.storage.settings import Settings, read_settings

_EXAMPLES = """\b
Examples:
  nadi deploy --dry-run
  nadi deploy --only nightly
  nadi deploy flows/etl.py:etl --name nightly
"""

_MARKS = {Changed.ADDED: ("+", "green"), Changed.REMOVED: ("-", "red"), Changed.CHANGED: ("~", "yellow")}


class Shown(msgspec.Struct):
    """What became of one deployment, as JSON has it."""

    deployment: str
    #: Number of the version that is in force now; with `--dry-run`, before that, and 0 for none.
    version: int
    #: Whether this very deploying has changed, or would change, anything.
    changed: bool
    changes: tuple[Change, ...]


@click.command(epilog=_EXAMPLES)
@click.argument("what", nargs=-1, type=TEXT)
@click.option("--name", type=TEXT, default="", help="Name of the deployment, where one entrypoint is given.")
@click.option("--only", type=TEXT, multiple=True, metavar="NAME", help="Only this one of the file; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(what: tuple[str, ...], name: str, only: tuple[str, ...], dry_run: bool, as_json: bool) -> int:
    """Deploy what a file says, or a flow as it is.

    WHAT is a file such as nadi.toml, a folder with one, or path/to/file.py:flow; the nadi.toml or pyproject.toml of the
    working folder if not given. The code is loaded first, which runs its imports and no flow; if anything is wrong with
    one deployment, none is written. What is in force already is left as it is.
    """
    settings = read_settings()
    drafts = _chosen(_drafts(what, name), only)
    prepared = prepare(drafts, home=Home(settings.home), now=time.time(), by=who_here())
    raise_findings(prepared.findings)
    changes = _differences(prepared.versions)
    if not as_json:
        for change in changes:
            _print(change)
    done = [] if dry_run else _deploy(settings, prepared.versions)
    if as_json:
        say_json(_shown(changes, done))
    else:
        say(paragraph(_told(changes, done, dry_run=dry_run)))
    return DONE


# -- what is to be deployed --


def _drafts(what: Sequence[str], name: str) -> list[Draft]:
    files = [one for one in what if _is_file(one)]
    entrypoints = [one for one in what if not _is_file(one)]
    if name and (len(entrypoints) != 1 or files):
        raise click.UsageError(
            "--name goes with one entrypoint, such as flow.py:my_flow; a file names its deployments."
        )
    paths = [_file_in(Path(one)) for one in files] if what else [_file_in(Path())]
    read = [read_deployment_file(path) for path in paths]
    raise_findings([finding for one in read for finding in one.findings])
    drafts = [draft for one in read for draft in one.drafts]
    return drafts + [_of_entrypoint(one, name) for one in entrypoints]


def _is_file(what: str) -> bool:
    return what.endswith(".toml") or os.path.isdir(what)


def _file_in(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = find_deployment_file(path)
    if found is None:
        where = "here" if path == Path() else f"in {path}"
        raise DefinitionError(
            f"There is neither a {FILE} nor a {PYPROJECT} with [tool.nadi.deployments] {where}."
            " Write one, or name a flow: nadi deploy path/to/file.py:flow"
        )
    return found


def _of_entrypoint(entrypoint: str, name: str) -> Draft:
    target, colon, flow = entrypoint.rpartition(":")
    called = name or (flow if colon else Path(target or entrypoint).stem)
    return made_draft(called, {"entrypoint": entrypoint}, folder=os.getcwd())


def _chosen(drafts: list[Draft], only: Sequence[str]) -> list[Draft]:
    known = [draft.spec.name for draft in drafts]
    for wanted in only:
        if wanted not in known:
            near = did_you_mean(closest(wanted, known))
            raise NotFound(f"--only {wanted!r}: there is no such deployment. Known are {', '.join(known)}.{near}")
    return [draft for draft in drafts if not only or draft.spec.name in only]


# -- what it changes --


def _differences(versions: Sequence[DeploymentVersion]) -> list[DeploymentChange]:
    with store_for_reading(look=False) as store:
        return [difference(_in_force(store, version.deployment), version) for version in versions]


def _in_force(store: Any, name: str) -> DeploymentVersion | None:
    found = store.deployments.deployment(name) if store is not None else None
    return found.version if found is not None else None


def _deploy(settings: Settings, versions: Sequence[DeploymentVersion]) -> list[Deployed]:
    store = store_in_force(settings)
    try:
        done = deploy_versions(store, versions, now=time.time())
        for one in done:
            if one.changed:
                note_change(store, "deploy", one.deployment.name, version=one.deployment.version.number)
        return done
    finally:
        store.close()


def _shown(changes: Sequence[DeploymentChange], done: Sequence[Deployed]) -> list[Shown]:
    numbers = {one.deployment.name: one.deployment.version.number for one in done}
    return [
        Shown(
            deployment=change.deployment,
            version=numbers.get(change.deployment, change.number),
            changed=bool(change.changes),
            changes=change.changes,
        )
        for change in changes
    ]


def _print(change: DeploymentChange) -> None:
    name = bold(one_line(change.deployment))
    if not change.changes:
        say(f"{name}  {dim(f'version {change.number}, nothing changes')}")
        return
    say(f"{name}  {f'changes from version {change.number}' if change.number else 'is new'}")
    width = max(len(one.field) for one in change.changes)
    for one in change.changes:
        mark, colour = _MARKS[one.kind]
        say(f"  {click.style(mark, fg=colour)} {one_line(one.field).ljust(width)}  {_values(one)}")


def _values(change: Change) -> str:
    was, will = _value(change.before), _value(change.after)
    if change.kind is Changed.CHANGED:
        return f"{was} -> {will}"
    return was if change.kind is Changed.REMOVED else will


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return shorten(one_line(text), 200) or '""'


def _told(changes: Sequence[DeploymentChange], done: Sequence[Deployed], *, dry_run: bool) -> str:
    changed = [change for change in changes if change.changes]
    if dry_run:
        return f"{plural(len(changed), 'deployment')} of {len(changes):,} would change. Nothing was written."
    told = [f"{one.deployment.name} is at version {one.deployment.version.number}" for one in done if one.changed]
    if not told:
        return "Nothing has changed."
    return f"{one_line(', '.join(told))}."
