"""Runs of deployments: asked for by a schedule, a backfill or somebody, and recorded for a worker to start."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec

from nadi.engine.flow_runs import display
from nadi.exceptions import NotFound, RunNotFound, ValueRefused
from nadi.model.deployment_fields import MOST_PRIORITY
from nadi.model.deployments import DeploymentVersion, FolderSource
from nadi.model.names import LONGEST_NAME, run_name
from nadi.model.records import FlowRunBegun
from nadi.model.runs import FlowRun
from nadi.model.secrets import mask
from nadi.model.sources import RunSource
from nadi.model.states import StateType
from nadi.model.text import one_line, shorten
from nadi.model.work import Enqueued, NewRun, Work
from nadi.storage.contract import Store
from nadi.storage.results import Keeper, ResultStorage

#: Characters that a key of a request may have.
LONGEST_KEY = 200


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for of one run, beside what its deployment says."""

    #: By name, as JSON has them, over those of the deployment.
    parameters: Mapping[str, Any] = {}
    #: Display name of the run; "" for one that is made up.
    name: str = ""
    tags: tuple[str, ...] = ()
    #: Unix seconds before which it is not started; 0 for at once.
    due: float = 0.0
    #: See `Work`.
    instant: float = 0.0
    schedule: str = ""
    backfill: str = ""
    key: str = ""
    alone: bool = False
    #: In place of the deployment's; `None` and "" for those.
    queue: str = ""
    priority: int | None = None


def trigger(
    store: Store, results: ResultStorage, deployment: str, asked: Asked, *, id: str, now: float, chance: Random
) -> tuple[FlowRun, Enqueued]:
    """Record a run of a deployment, as the version that is in force has it.

    Args:
        store: Where.
        results: Where parameters are kept when they are large.
        deployment: Its name.
        asked: What is wanted of the run.
        id: Id of the new run.
        now: Unix seconds.
        chance: For the made-up name.

    Returns:
        The run, and whether it is a new one: with a key that is known, the run that was made before is the answer.

    Raises:
        NotFound: no deployment has this name.
        ValueRefused: its flow does not take these parameters, or they cannot be kept.
    """
    found = store.deployments.deployment(deployment)
    if found is None:
        raise no_deployment(deployment, store.url)
    new = new_run(found.version, asked, store=store, results=results, id=id, now=now, chance=chance)
    [enqueued] = store.work.enqueue([new])
    run = store.flow_run(enqueued.run)
    if run is None:
        raise RunNotFound(enqueued.run, where=store.url)
    return run, enqueued


def no_deployment(name: str, where: str) -> NotFound:
    """Return the error that says that there is no such deployment."""
    return NotFound(
        f"No deployment {shorten(one_line(name), 80)!r} is in {where}. `nadi deployments` lists those that are;"
        " `nadi deploy` makes one."
    )


def new_run(
    version: DeploymentVersion,
    asked: Asked,
    *,
    store: Store,
    results: ResultStorage,
    id: str,
    now: float,
    chance: Random,
) -> NewRun:
    """Return a run of one version of a deployment, to be recorded. See `trigger` for what it takes and raises."""
    spec = version.spec
    if len(asked.key) > LONGEST_KEY:
        raise ValueRefused(f"The key of a request has {len(asked.key)} characters; {LONGEST_KEY} are allowed.")
    if asked.priority is not None and abs(asked.priority) > MOST_PRIORITY:
        raise ValueRefused(f"A priority is between {-MOST_PRIORITY:,} and {MOST_PRIORITY:,}.")
    parameters = {**spec.parameters, **asked.parameters}
    check_parameters(version, parameters)
    kept = Keeper(results, store.signing_key, store.id, id, 1).keep(parameters, task_run_id="arguments", format="json")
    if kept.kind == "not_kept":
        raise ValueRefused(f"The parameters of deployment {version.deployment} cannot be kept: {kept.note}")
    record = FlowRunBegun(
        id,
        1,
        now,
        id,
        spec.flow,
        shorten(mask(asked.name or run_name(chance)), LONGEST_NAME),
        1,
        StateType.SCHEDULED,
        "Scheduled",
        version=str(version.number),
        tags=tuple(sorted({*spec.tags, *asked.tags})),
        parameters=display(parameters),
        arguments=kept,
        source=msgspec.json.encode(source_of_version(version)),
        description=spec.description,
    )
    return NewRun(record=record, work=_work(version, asked, id=id, now=now))


def _work(version: DeploymentVersion, asked: Asked, *, id: str, now: float) -> Work:
    spec = version.spec
    return Work(
        run=id,
        deployment=version.deployment,
        version=version.number,
        queue=asked.queue or spec.queue,
        priority=spec.priority if asked.priority is None else asked.priority,
        due=asked.due or now,
        instant=asked.instant,
        schedule=asked.schedule,
        backfill=asked.backfill,
        host=spec.source.host if isinstance(spec.source, FolderSource) else "",
        key=asked.key,
        alone=asked.alone,
        crash_policy=spec.crash_policy,
        most_crashes=spec.most_crashes,
    )


def source_of_version(version: DeploymentVersion) -> RunSource:
    """Return where the code of a version lies, as far as is known before a worker has fetched it."""
    spec = version.spec
    folder = spec.source.path if isinstance(spec.source, FolderSource) else ""
    return RunSource(
        entrypoint=spec.entrypoint,
        working_folder=folder,
        interpreter=spec.interpreter,
        host=spec.source.host if isinstance(spec.source, FolderSource) else "",
        git_commit=version.git_commit or None,
        git_dirty=version.git_dirty if version.git_commit else None,
    )


def check_parameters(version: DeploymentVersion, parameters: Mapping[str, Any]) -> None:
    """Raise if a flow does not take parameters of these names, or needs others, or one of them is a secret.

    Only names are looked at: the flow converts and checks the values as it begins, where its code is.

    Raises:
        ValueRefused: which name, and which the flow has.
    """
    properties = version.schema.get("properties")
    if not isinstance(properties, dict):
        return
    known = ", ".join(properties) or "none"
    if version.schema.get("additionalProperties") is not True:
        for name in parameters:
            if name not in properties:
                raise ValueRefused(
                    f"Flow {version.spec.flow!r} of deployment {version.deployment} has no parameter"
                    f" {shorten(one_line(name), 80)!r}; it has: {known}."
                )
    for name in parameters:
        if _is_secret(properties.get(name)):
            raise ValueRefused(
                f"Parameter {name!r} of flow {version.spec.flow!r} is a secret, and no store keeps one until the run"
                " begins. Leave it out, and let the flow read it where it runs, from its environment for instance."
            )
    missing = [name for name in version.schema.get("required", ()) if name not in parameters]
    if missing:
        raise ValueRefused(
            f"Deployment {version.deployment} needs {' and '.join(missing)}, for which neither it nor its flow has a"
            f" default. Give it with -p {missing[0]}=..."
        )


def _is_secret(schema: Any) -> bool:
    """Tell whether the schema of a parameter, or one of those that it may have, is that of a secret."""
    if not isinstance(schema, dict):
        return False
    several = schema.get("anyOf", ())
    return schema.get("writeOnly") is True or any(map(_is_secret, several if isinstance(several, list) else ()))
