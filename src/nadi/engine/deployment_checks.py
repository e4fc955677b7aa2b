"""Checking deployments, as CI wants it: all that `nadi deploy` would refuse, and nothing is written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from nadi.engine.checking import Checked, CheckedDeployment, CheckedSchedule, Finding, is_secret_text
from nadi.engine.deploying import prepare
from nadi.engine.deployment_drafts import Draft
from nadi.engine.deployment_files import find_deployment_file, finding_of, read_deployment_file
from nadi.exceptions import DefinitionError
from nadi.model.deployments import FolderSource
from nadi.model.schedules import describe
from nadi.storage.home import Home, this_host

#: How many instants are told of each schedule.
_NEXT = 3


def check_deployments(path: Path, checked: Checked, *, now: float, here: bool = False) -> None:
    """Check the deployments of a file, or of the one in a folder, and add what is found.

    Code that lies elsewhere is fetched into a folder that is removed again.

    Args:
        path: A nadi.toml, a pyproject.toml, or a folder; nothing is done for other files, or where there is none.
        checked: What is added to.
        now: Unix seconds.
        here: Whether code that lies in a repository or an archive is taken from the checkout around the file instead,
            as it will be once that is merged.
    """
    try:
        file = find_deployment_file(path) if path.is_dir() else path if path.suffix == ".toml" else None
    except DefinitionError as error:
        checked.findings.append(Finding(str(path), 1, "deployment", str(error)))
        return
    if file is None:
        return
    read = read_deployment_file(file)
    drafts = [_in_checkout(draft, file) for draft in read.drafts] if here else read.drafts
    checked.files += 1
    checked.findings += read.findings
    with tempfile.TemporaryDirectory(prefix="nadi-check-") as folder:
        prepared = prepare(drafts, home=Home(folder), now=now, by="")
    checked.findings += prepared.findings
    checked.findings += [finding for draft in read.drafts for finding in _secrets_of(draft)]
    flows = {version.deployment: version.spec.flow for version in prepared.versions}
    checked.deployments += [_checked(draft, flows.get(draft.spec.name, ""), now) for draft in read.drafts]


def _in_checkout(draft: Draft, file: Path) -> Draft:
    source = draft.spec.source
    if isinstance(source, FolderSource):
        return draft
    folders = [file.resolve().parent, *file.resolve().parent.parents]
    top = next((folder for folder in folders if (folder / ".git").exists()), folders[0])
    local = FolderSource(path=str(top / source.folder), host=this_host())
    return replace(draft, spec=replace(draft.spec, source=local))


def _checked(draft: Draft, flow: str, now: float) -> CheckedDeployment:
    spec, at = draft.spec, datetime.fromtimestamp(now, UTC)
    return CheckedDeployment(
        name=spec.name,
        file=draft.file,
        line=draft.lines.get((), 1),
        flow=flow,
        entrypoint=spec.entrypoint,
        schedules=tuple(
            CheckedSchedule(schedule.name, describe(schedule), tuple(schedule.next(_NEXT, at)))
            for schedule in spec.schedules
        ),
    )


def _secrets_of(draft: Draft) -> Iterator[Finding]:
    given = {"environment": draft.spec.environment, "parameters": draft.spec.parameters}
    for table, values in given.items():
        for name, value in values.items():
            if isinstance(value, str) and is_secret_text(name, value):
                told = f"Deployment {draft.spec.name!r}: {table}.{name} looks like a secret, and everybody who may read"
                advice = (
                    "deployments sees it. Give it to the worker's own environment, or read it from where secrets are."
                )
                yield finding_of(draft, (table, name), f"{told} {advice}", "secret")
