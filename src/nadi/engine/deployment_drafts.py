"""Drafts: deployments as somebody asks for them, read and checked before their code is looked at."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from nadi.exceptions import DefinitionError
from nadi.executors.naming import NAMES
from nadi.model.code_places import wrong_archive, wrong_branch, wrong_commit, wrong_git_url, wrong_path
from nadi.model.deployment_fields import FIELDS, WrongField, near_told, read_field, read_schedules, wrong_name
from nadi.model.deployments import ArchiveSource, DeploymentSpec, FolderSource, GitSource, Source
from nadi.model.text import safe_repr
from nadi.model.toml_lines import Path as KeyPath
from nadi.storage.home import this_host

#: What may be said of a deployment, by the key in a file.
KEYS = ("source", "schedules", "schedule", *FIELDS)
#: What is no field of its own, but counts for the schedules that do not say.
_OF_SCHEDULES = ("overlap", "catch_up")


class Wrong(msgspec.Struct, frozen=True):
    """Something that is wrong with a draft."""

    #: Which key it is about, from the deployment down; empty for the deployment itself.
    keys: KeyPath
    #: A sentence.
    message: str


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment that is asked for.

    In its spec there is no flow yet; a branch is no commit yet, and an archive has no digest.
    """

    spec: DeploymentSpec
    #: Where it is written, for people; "" for one that was made by a call.
    file: str = ""
    #: Line of each key, from the deployment down; of the deployment itself under the empty path.
    lines: dict[KeyPath, int] = {}


def read_draft(name: str, given: Mapping[str, Any], *, folder: str) -> tuple[Draft | None, list[Wrong]]:
    """Return the deployment that is meant, or what is wrong with what was given, all of it.

    Args:
        name: Name of the deployment.
        given: What is said of it, by key (see `KEYS`).
        folder: Where its code lies if nothing is said of that, and where relative folders start; absolute.
    """
    reader = _Reader(name)
    if wrong := wrong_name(name):
        reader.wrongs.append(Wrong((), f"The name of a deployment {wrong}."))
    for key in given:
        if key not in KEYS:
            reader.tell((key,), f"is no key of a deployment{near_told(key, KEYS) or '; expected ' + ', '.join(KEYS)}")
    values = {key: reader.field(key, given[key]) for key in FIELDS if key in given}
    source = reader.source(given.get("source", folder), folder)
    schedules = reader.schedules(given, values)
    if "entrypoint" not in given:
        told = "has no entrypoint; expected path/to/file.py:flow or package.module:flow"
        reader.wrongs.append(Wrong((), f"Deployment {name!r} {told}."))
    if reader.wrongs or source is None:
        return None, reader.wrongs
    fields = {key: value for key, value in values.items() if key not in _OF_SCHEDULES}
    spec = DeploymentSpec(name=name, source=source, flow="", schedules=schedules, **fields)
    return Draft(spec=spec), []


def made_draft(name: str, given: Mapping[str, Any], *, folder: str) -> Draft:
    """Return the deployment that a call means. See `read_draft` for what it takes.

    Raises:
        DefinitionError: all that is wrong with it, one sentence a line.
    """
    draft, wrongs = read_draft(name, given, folder=folder)
    if draft is None:
        raise DefinitionError("\n".join(wrong.message for wrong in wrongs))
    return draft


def read_source(value: Any, *, folder: str) -> Source:
    """Return the source that a text or a table means; relative folders start at `folder`.

    Raises:
        DefinitionError: all that is wrong with it.
    """
    reader = _Reader("source")
    source = reader.source(value, folder)
    if source is None:
        raise DefinitionError("\n".join(wrong.message.partition(": ")[2] for wrong in reader.wrongs))
    return source


class _Reader:
    """Reads what is said of one deployment, and gathers what is wrong with it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.wrongs: list[Wrong] = []

    def tell(self, keys: KeyPath, wrong: str) -> None:
        shown = _shown(keys)
        self.wrongs.append(Wrong(keys, f"Deployment {safe_repr(self._name, 80)}: {shown} {wrong.rstrip('.')}."))

    def field(self, key: str, value: Any) -> Any:
        try:
            read = read_field(key, value)
        except WrongField as error:
            self.tell((key, *error.inside), error.wrong)
            return None
        if key == "executor" and read not in NAMES:
            listed = ", ".join(sorted(NAMES))
            self.tell((key,), f"is {safe_repr(read, 60)}; expected one of {listed}{near_told(read, list(NAMES))}")
        return read

    def schedules(self, given: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[Any, ...]:
        key = "schedules" if "schedules" in given else "schedule"
        if "schedules" in given and "schedule" in given:
            self.tell(("schedule",), "and schedules mean the same; give one of them")
        if key not in given:
            return ()
        try:
            return read_schedules(given[key], overlap=values.get("overlap"), catch_up=values.get("catch_up"))
        except WrongField as error:
            # A single one may be given without a list around it.
            inside = error.inside if isinstance(given[key], list | tuple) else error.inside[1:]
            self.tell((key, *inside), error.wrong)
            return ()

    def source(self, value: Any, folder: str) -> Source | None:
        if isinstance(value, str):
            return self._folder((), value, folder)
        if not isinstance(value, Mapping):
            self.tell(("source",), f"is {safe_repr(value, 60)}; expected a folder, or a table with git or archive")
            return None
        kinds = [kind for kind in ("git", "archive") if kind in value]
        if len(kinds) > 1:
            self.tell(("source",), "has both git and archive; give one of them")
            return None
        known = {"git": ("git", "branch", "commit", "folder"), "archive": ("archive", "folder")}
        keys = known[kinds[0]] if kinds else ("folder", "git", "archive")
        before = len(self.wrongs)
        for key, text in value.items():
            if key not in keys:
                self.tell(
                    ("source", key), f"is not expected here{near_told(key, keys) or '; known are ' + ', '.join(keys)}"
                )
            elif not isinstance(text, str) or not text:
                self.tell(("source", key), f"is {safe_repr(text, 60)}; expected text")
        if len(self.wrongs) > before:
            return None
        if not kinds:
            return self._folder(("folder",), value.get("folder", ""), folder)
        return self._git(value) if kinds[0] == "git" else self._archive(value)

    def _folder(self, keys: KeyPath, text: str, folder: str) -> Source | None:
        expanded = os.path.expanduser(text)
        # Of a path that is said from here, nobody sees whether it leads out of the checkout that is deployed.
        if not os.path.isabs(expanded) and (wrong := wrong_path(text)):
            advice = "; or write the whole path of the folder" if ".." in text else ""
            self.tell(("source", *keys), wrong + advice)
            return None
        if "\0" in text:
            self.tell(("source", *keys), "has a zero byte in it")
            return None
        path = os.path.normpath(os.path.join(folder, expanded))
        if not os.path.isdir(path):
            self.tell(("source", *keys), f"is {safe_repr(text)}, and there is no folder {path}")
            return None
        return FolderSource(path=path, host=this_host())

    def _git(self, value: Mapping[str, str]) -> Source | None:
        branch, commit, inside = value.get("branch", ""), value.get("commit", ""), value.get("folder", "")
        wrongs = {
            "git": wrong_git_url(value["git"]),
            "branch": wrong_branch(branch) if branch else "",
            "commit": wrong_commit(commit) if commit else "",
            "folder": wrong_path(inside) if inside else "",
        }
        if branch and commit:
            wrongs["commit"] = wrongs["commit"] or "and branch are both there; give one of them"
        return None if self._told(wrongs) else GitSource(url=value["git"], commit=commit, branch=branch, folder=inside)

    def _archive(self, value: Mapping[str, str]) -> Source | None:
        inside = value.get("folder", "")
        wrongs = {"archive": wrong_archive(value["archive"]), "folder": wrong_path(inside) if inside else ""}
        return None if self._told(wrongs) else ArchiveSource(url=value["archive"], digest="", folder=inside)

    def _told(self, wrongs: Mapping[str, str]) -> bool:
        for key, wrong in wrongs.items():
            if wrong:
                self.tell(("source", key), wrong)
        return any(wrongs.values())


def _shown(keys: KeyPath) -> str:
    """Return a path of keys as one writes it: `parameters.day`, `schedules[1]`."""
    told = ""
    for key in keys:
        told += f"[{key}]" if isinstance(key, int) else f".{key}" if told else str(key)
    return told
