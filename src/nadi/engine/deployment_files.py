"""`nadi.toml`: deployments as a file has them, with the line of whatever is wrong.

::

    [defaults]                      # for all deployments below
    queue = "etl"

    [deployments.nightly]
    entrypoint = "flows/etl.py:etl"
    schedules = ["0 6 * * mon-fri"]
    parameters = { rows = 1000 }

In pyproject.toml the same tables stand below `[tool.nadi]`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from nadi.engine.checking import Finding
from nadi.engine.deployment_drafts import KEYS, Draft, read_draft
from nadi.exceptions import DefinitionError
from nadi.model.deployment_fields import near_told
from nadi.model.text import safe_repr
from nadi.model.toml_lines import Path as KeyPath
from nadi.model.toml_lines import line_of, lines_of, tables_named_twice
from nadi.storage.settings import VARIABLES

#: What a file of deployments is called.
FILE, PYPROJECT = "nadi.toml", "pyproject.toml"
#: Bytes of a file, at most.
MOST_BYTES = 4 << 20
_TABLES = ("defaults", "deployments")
#: Tables of which a deployment has what the defaults say beside its own.
_JOINED = ("parameters", "environment", "resources")
_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class DeploymentFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says."""

    #: The file, as people call it.
    file: str
    drafts: tuple[Draft, ...] = ()
    #: All that is wrong; then some deployments may be missing among the drafts.
    findings: tuple[Finding, ...] = ()


def find_deployment_file(folder: Path) -> Path | None:
    """Return the file of deployments in a folder: nadi.toml, or a pyproject.toml that has some; `None` without one.

    Raises:
        DefinitionError: both have deployments.
    """
    file, project = folder / FILE, folder / PYPROJECT
    in_project = project.is_file() and _has_deployments(project)
    if file.is_file() and in_project:
        raise DefinitionError(f"{file} and {project} both have deployments. Move all of them into one of the two.")
    return file if file.is_file() else project if in_project else None


def _has_deployments(project: Path) -> bool:
    try:
        text = project.read_text(encoding="utf-8")
        return "deployments" in text and bool(tomllib.loads(text).get("tool", {}).get("nadi", {}).get("deployments"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, AttributeError):
        return False


def read_deployment_file(path: Path) -> DeploymentFile:
    """Read a file of deployments; nothing is imported or looked up."""
    shown = str(path)
    try:
        text = _text_of(path)
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return DeploymentFile(file=shown, findings=(_of_syntax(shown, text, str(error)),))
    except (OSError, ValueError, RecursionError) as error:
        told = getattr(error, "strerror", None) or str(error)
        return DeploymentFile(file=shown, findings=(Finding(shown, 1, "deployment", f"It cannot be read: {told}."),))
    reader = _Reader(path, document, lines_of(text))
    reader.read()
    return DeploymentFile(file=shown, drafts=tuple(reader.drafts), findings=tuple(reader.findings))


def raise_findings(findings: Sequence[Finding]) -> None:
    """Raise what was found to be wrong, if anything.

    Raises:
        DefinitionError: one line for each, with file and line.
    """
    if findings:
        raise DefinitionError("\n".join(told(finding) for finding in findings))


def told(finding: Finding) -> str:
    """Return a finding as one line: file, line, sentence."""
    return f"{finding.file}, line {finding.line}: {finding.message}" if finding.file else finding.message


def finding_of(draft: Draft, keys: KeyPath, message: str, kind: str = "deployment") -> Finding:
    """Return what is wrong with a deployment, at the line where it is written."""
    return Finding(draft.file, line_of(draft.lines, keys) if draft.lines else 0, kind, message)


def _text_of(path: Path) -> str:
    with open(path, "rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES >> 20} MiB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 text ({error.reason} at byte {error.start})") from None


def _of_syntax(shown: str, text: str, error: str) -> Finding:
    for path, first, second in tables_named_twice(text):
        if len(path) >= 2 and path[-2] == "deployments":
            message = (
                f"Two deployments are called {path[-1]!r}, here and in line {first}. Give one of them another name."
            )
            return Finding(shown, second, "deployment", message)
    at = _AT.search(error)
    line = int(at[1]) if at and at[1] else text.count("\n") + 1
    return Finding(shown, line, "deployment", f"It is not valid TOML: {_AT.sub('', error)}.")


class _Reader:
    """Reads one file that is valid TOML."""

    def __init__(self, path: Path, document: dict[str, Any], lines: dict[KeyPath, int]) -> None:
        self.drafts: list[Draft] = []
        self.findings: list[Finding] = []
        self._file, self._lines = str(path), lines
        self._folder = os.path.dirname(os.path.abspath(path))
        self._is_project = path.name == PYPROJECT
        self._top: KeyPath = ("tool", "nadi") if self._is_project else ()
        self._document = document

    def read(self) -> None:
        top = self._document
        if self._is_project:
            tool = top.get("tool", {})
            top = tool.get("nadi", {}) if isinstance(tool, dict) else {}
        if not isinstance(top, dict):
            self._tell((), "[tool.nadi] is no table.")
            return
        self._check_top(top)
        defaults = self._table(top, "defaults")
        deployments = self._table(top, "deployments")
        self._check_defaults(defaults)
        if not deployments and not self.findings:
            self._tell((), "It has no deployment. Write one: [deployments.NAME] with an entrypoint.")
        for name, given in deployments.items():
            self._deployment(name, given, defaults)

    def _check_top(self, top: Mapping[str, Any]) -> None:
        for key in top:
            if key in _TABLES or self._is_project:
                continue  # what else stands below [tool.nadi] are settings, which are read elsewhere
            if key.replace("-", "_") in VARIABLES:
                self._tell((key,), f"{key} is a setting; it goes below [tool.nadi] in pyproject.toml.")
            else:
                hint = near_told(key, _TABLES)
                self._tell(
                    (key,), f"There is no table or key {key!r} here{hint}; expected [defaults] and [deployments.NAME]."
                )

    def _table(self, top: Mapping[str, Any], key: str) -> dict[str, Any]:
        found = top.get(key, {})
        if isinstance(found, dict):
            return found
        self._tell((key,), f"{key} is {safe_repr(found, 60)}; expected {'a table' if key == 'defaults' else 'tables'}.")
        return {}

    def _check_defaults(self, defaults: Mapping[str, Any]) -> None:
        """Read what counts for all once by itself, so that what is wrong with it is told once."""
        given = _plain_keys(defaults)
        if "entrypoint" in given:
            self._tell(("defaults", "entrypoint"), "An entrypoint cannot count for all deployments; give each its own.")
        _, wrongs = read_draft("defaults", {**given, "entrypoint": "of.none"}, folder=self._folder)
        for wrong in wrongs:
            message = wrong.message.replace("Deployment 'defaults': ", "[defaults]: ", 1)
            self._tell(("defaults", *_written(wrong.keys, defaults)), message)

    def _deployment(self, name: str, given: Any, defaults: Mapping[str, Any]) -> None:
        place: KeyPath = ("deployments", name)
        if not isinstance(given, dict):
            message = f"Deployment {name!r} is {safe_repr(given, 60)}; expected a table [deployments.{name}]."
            self._tell(place, message)
            return
        own, usual = _plain_keys(given), _plain_keys(defaults)
        draft, wrongs = read_draft(name, _merged(usual, own), folder=self._folder)
        for wrong in wrongs:
            # What came from the defaults has been told of there.
            if not wrong.keys or wrong.keys[0] in own:
                self._tell((*place, *_written(wrong.keys, given)), wrong.message)
        if draft is not None:
            self.drafts.append(msgspec.structs.replace(draft, file=self._file, lines=self._lines_below(place, given)))

    def _lines_below(self, place: KeyPath, given: Mapping[str, Any]) -> dict[KeyPath, int]:
        whole = (*self._top, *place)
        plain = {str(key): str(key).replace("-", "_") for key in given}
        below = {path[len(whole) :]: line for path, line in self._lines.items() if path[: len(whole)] == whole}
        return {(plain.get(str(path[0]), path[0]), *path[1:]) if path else (): line for path, line in below.items()}

    def _tell(self, keys: KeyPath, message: str) -> None:
        line = line_of(self._lines, (*self._top, *keys))
        self.findings.append(Finding(self._file, line, "deployment", message))


def _plain_keys(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table with its keys as Python writes them: `most-crashes` is `most_crashes`."""
    return {key if key in KEYS else key.replace("-", "_"): value for key, value in given.items()}


def _written(keys: KeyPath, given: Mapping[str, Any]) -> KeyPath:
    """Return keys as they stand in the file."""
    if not keys:
        return keys
    first = next((key for key in given if key.replace("-", "_") == keys[0]), keys[0])
    return (first, *keys[1:])


def _merged(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what counts for a deployment: tables of names are joined, all else of its own goes over the defaults."""
    merged = dict(defaults)
    if "schedule" in own or "schedules" in own:
        merged.pop("schedule", None)
        merged.pop("schedules", None)
    for key, value in own.items():
        usual = merged.get(key) if key in _JOINED else None
        merged[key] = {**usual, **value} if isinstance(usual, dict) and isinstance(value, dict) else value
    return merged
