"""What differs between two versions of a deployment, as values: for people who deploy, and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from nadi.model.deployments import DeploymentVersion
from nadi.model.schedules import Schedule, describe


class Changed(StrEnum):
    """What happened to a field."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One field that differs."""

    #: Such as `queue`, `parameters.rows`, `schedules.nightly`, `code`.
    field: str
    kind: Changed
    #: As JSON has them; `null` for none.
    before: Any = None
    after: Any = None


class DeploymentChange(msgspec.Struct, frozen=True, kw_only=True):
    """What deploying a version would change."""

    deployment: str
    #: Number of the version that is in force; 0 where there is none, and the deployment is new.
    number: int
    #: Empty where this version is in force already.
    changes: tuple[Change, ...]


#: Fields whose parts are told one by one.
_BY_PART = ("source", "parameters", "environment", "resources")
#: Fields of a schedule that its words leave out.
_NOT_IN_WORDS = ("parameters", "catch_up", "catch_up_limit", "grace", "overlap")


def difference(old: DeploymentVersion | None, new: DeploymentVersion) -> DeploymentChange:
    """Return what differs between the version in force and another one; without one all fields that are not as usual.

    Equal digests are equal versions.
    """
    if old is not None and old.digest == new.digest:
        return DeploymentChange(deployment=new.deployment, number=old.number, changes=())
    before = _fields(old) if old is not None else {}
    after = _fields(new)
    changes = []
    for field in [*after, *(field for field in before if field not in after)]:
        was, will = before.get(field), after.get(field)
        if was == will:
            continue
        kind = Changed.ADDED if field not in before else Changed.REMOVED if field not in after else Changed.CHANGED
        changes.append(Change(field=field, kind=kind, before=was, after=will))
    changes += _hidden_in_schedules(old, new, changes)
    number = old.number if old is not None else 0
    return DeploymentChange(deployment=new.deployment, number=number, changes=tuple(changes))


def _fields(version: DeploymentVersion) -> dict[str, Any]:
    """Return what is said of a version, flat and in order; what is as usual is left out."""
    told: dict[str, Any] = {}
    for field, value in msgspec.to_builtins(version.spec).items():
        if field == "schedules":
            for one in version.spec.schedules:
                told |= _schedule(one)
        elif field in _BY_PART:
            told |= {f"{field}.{part}": one for part, one in value.items()}
        elif field != "name":
            told[field] = value
    told["code"] = version.code
    return told


def _schedule(schedule: Schedule) -> dict[str, Any]:
    """Return a schedule in words, and beside it what those leave out."""
    name = _called(schedule)
    plain = msgspec.to_builtins(schedule)
    usual = {field.name: field.default for field in msgspec.structs.fields(Schedule)}
    silent = {field: plain[field] for field in _NOT_IN_WORDS if plain[field] and plain[field] != usual[field]}
    return {name: describe(schedule), **{f"{name}.{field}": value for field, value in silent.items()}}


def _called(schedule: Schedule) -> str:
    return f"schedules.{schedule.name}" if schedule.name else "schedules"


def _hidden_in_schedules(
    old: DeploymentVersion | None, new: DeploymentVersion, told: Sequence[Change]
) -> Iterator[Change]:
    """Yield schedules that differ in what words do not show, such as the end of a long list of dates."""
    before = {_called(one): one for one in old.spec.schedules} if old is not None else {}
    for one in new.spec.schedules:
        name = _called(one)
        if name in before and before[name] != one and not any(change.field.startswith(name) for change in told):
            was, will = msgspec.to_builtins(before[name]), msgspec.to_builtins(one)
            yield Change(field=name, kind=Changed.CHANGED, before=was, after=will)
