"""Keywords with which a flow is deployed from Python: ours and Prefect's, as keys of a deployment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict

from nadi.exceptions import DefinitionError

#: Keywords that are keys of a deployment under the same name.
_SAME = (
    *("parameters", "description", "tags", "queue", "priority", "concurrency", "environment", "resources", "executor"),
    *("crash_policy", "most_crashes", "when_cut_off", "interpreter", "overlap", "catch_up"),
)
#: Keywords that make a schedule, each by its own rule.
_RULES = ("interval", "cron", "rrule")
#: Keywords of Prefect's that ask for what is done anyway: versions are numbered, git is looked at, code is found.
_DONE_ANYWAY = ("build", "push", "version_type", "entrypoint_type", "ignore_warnings", "print_next_steps")


class DeploymentKeywords(TypedDict, total=False):
    """What can be said of a deployment; docs/how-to/deployments.md tells what each means. `None` says nothing."""

    interval: Any
    cron: Any
    rrule: Any
    schedule: Any
    schedules: Any
    paused: bool | None
    parameters: Mapping[str, Any] | None
    description: str | None
    tags: Sequence[str] | None
    queue: str | None
    priority: int | None
    concurrency: int | None
    environment: Mapping[str, str] | None
    resources: Any
    executor: str | None
    crash_policy: str | None
    most_crashes: int | None
    when_cut_off: str | None
    interpreter: str | None
    overlap: str | None
    catch_up: str | None
    # Of Prefect's.
    concurrency_limit: Any
    work_queue_name: str | None
    work_pool_name: str | None
    job_variables: Mapping[str, Any] | None
    version: str | None
    version_type: Any
    entrypoint_type: Any
    enforce_parameter_schema: bool
    triggers: Any


def keys_of_deployment(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return what keywords say of a deployment, by its keys; what is `None` is not said.

    Raises:
        DefinitionError: a keyword is unknown, or has no meaning here; the sentence says what serves.
    """
    given = {key: value for key, value in keywords.items() if value is not None}
    said = {key: given.pop(key) for key in _SAME if key in given}
    said |= dict(_said_otherwise(given, said))
    if schedules := list(_schedules(given)):
        said["schedules"] = schedules
    _refuse(given)
    return said


def with_own_schedule(flow: Any, keywords: dict[str, Any]) -> dict[str, Any]:
    """Return keywords with the schedule of a declared flow that has one, where they say nothing of schedules."""
    own = getattr(flow, "schedule", None)
    if hasattr(own, "as_schedules") and not keywords.keys() & {"schedule", "schedules", *_RULES}:
        return {**keywords, "schedule": own}
    return keywords


def refuse_image(image: Any) -> None:
    """Raise if a container is to be built.

    Raises:
        DefinitionError: it is.
    """
    if image is not None:
        raise DefinitionError(
            "image= builds a container, and a deployment names code that a worker runs where it is. Leave image= out,"
            " and start the worker in the container."
        )


def _said_otherwise(given: dict[str, Any], said: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    pool, queue = given.pop("work_pool_name", None), given.pop("work_queue_name", None)
    if queue or pool:
        yield "queue", queue or pool
    if (limit := given.pop("concurrency_limit", None)) is not None:
        yield "concurrency", getattr(limit, "limit", limit)  # Prefect's ConcurrencyLimitConfig has it in there
    variables = dict(given.pop("job_variables", None) or {})
    if environment := variables.pop("env", None):
        yield "environment", environment
    if variables:
        listed = ", ".join(map(repr, sorted(variables)))
        raise DefinitionError(
            f"job_variables describe the infrastructure of Prefect's work pools, and {listed} means nothing here."
            " Use environment=, resources= and interpreter=."
        )
    if (version := given.pop("version", None)) is not None:
        # Versions have numbers here; what people call theirs stands at each run.
        yield "tags", [*said.get("tags", ()), f"version:{version}"]


def _schedules(given: dict[str, Any]) -> Iterator[Any]:
    several = given.pop("schedules", ())
    listed = [*(several if isinstance(several, list | tuple) else [several])]
    listed += [given.pop("schedule")] if "schedule" in given else []
    for one in listed:
        # One of nadi.declarative.schedules has a schedule of ours for each of its clocks.
        yield from one.as_schedules() if hasattr(one, "as_schedules") else [one]
    for rule in _RULES:
        value = given.pop(rule, ())
        for one in value if isinstance(value, list | tuple) else [value]:
            yield {rule: one.total_seconds() if isinstance(one, timedelta) else one}


def _refuse(given: dict[str, Any]) -> None:
    refuse_image(given.pop("image", None))
    if given.pop("triggers", None):
        raise DefinitionError("triggers= starts runs on events, which deployments cannot do; take it out.")
    if given.pop("enforce_parameter_schema", True) is not True:
        raise DefinitionError("The flow itself checks its parameters: write @flow(validate_parameters=False) instead.")
    for key in _DONE_ANYWAY:
        given.pop(key, None)
    if given:
        known = ", ".join(DeploymentKeywords.__annotations__)
        raise DefinitionError(f"A deployment knows no {', '.join(map(repr, sorted(given)))}. Known are: {known}.")
