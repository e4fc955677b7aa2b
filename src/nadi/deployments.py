"""Deployments from Python: making them, serving them from this process, and asking for runs of them.

Keywords are Prefect 3's where it has them. What has no meaning here is refused with a sentence, not passed over.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Unpack

from msgspec.structs import replace

from nadi._deployment_keywords import DeploymentKeywords, keys_of_deployment, refuse_image, with_own_schedule
from nadi.engine.answering import await_run, finished_run, recorder_here
from nadi.engine.code_sources import fetched, pinned
from nadi.engine.deploying import deploy_versions, prepare
from nadi.engine.deployment_drafts import Draft, made_draft, read_source
from nadi.engine.deployment_files import raise_findings
from nadi.engine.deployment_runs import Asked, no_deployment, trigger
from nadi.engine.flow_lookup import is_flow, name_of
from nadi.engine.flow_places import FlowPlace, place_of
from nadi.engine.loading import load_flow, stop_if_loading
from nadi.engine.loops import running_loop
from nadi.engine.recorded_values import recorded_id
from nadi.engine.recording import clock
from nadi.engine.scope import current
from nadi.exceptions import CallError, DefinitionError, TimedOut, ValueRefused
from nadi.model.code_places import ARCHIVE_ENDINGS
from nadi.model.deployment_fields import as_json
from nadi.model.deployments import Deployed
from nadi.model.names import told_for_shell
from nadi.model.runs import FlowRun
from nadi.model.text import safe_repr
from nadi.model.work import DEFAULT_QUEUE
from nadi.storage.contract import Store
from nadi.storage.home import Home, this_host, working_folder
from nadi.storage.settings import read_settings

#: The most seconds between two looks at a run that is waited for.
_LOOK = 0.2


class FlowDeployment:
    """A flow with all that is said of how it runs unattended. Made by `flow.to_deployment`; nothing is written yet."""

    def __init__(self, flow: Any, draft: Draft, *, paused: bool | None) -> None:
        """Hold what `flow.to_deployment` was told."""
        #: The flow.
        self.flow = flow
        #: What is said of it.
        self.draft = draft
        #: Whether it is to be paused once it is deployed; `None` leaves that as it is.
        self.paused = paused

    @property
    def name(self) -> str:
        """Its name."""
        return self.draft.spec.name

    def __repr__(self) -> str:
        return f"<FlowDeployment {self.name} of {name_of(self.flow)}>"


def deployment_of(flow: Any, name: str | None = None, **keywords: Unpack[DeploymentKeywords]) -> FlowDeployment:
    """Return a deployment of a flow: what `flow.to_deployment(...)` does.

    Raises:
        DefinitionError: no other process could load the flow, or something that is said cannot work.
    """
    if not is_flow(flow):
        raise DefinitionError(f"A deployment is of a flow, not of {safe_repr(flow, 60)}.")
    said: dict[str, Any] = dict(keywords)
    paused = said.pop("paused", None)
    if not isinstance(paused, bool | None):
        raise DefinitionError(f"paused is True or False, not {safe_repr(paused, 60)}.")
    place = place_of(flow)
    given = {
        "source": place.source,
        "entrypoint": place.entrypoint,
        **keys_of_deployment(with_own_schedule(flow, said)),
    }
    draft = made_draft(name_of(flow) if name is None else name, given, folder=working_folder())
    return FlowDeployment(flow, draft, paused=paused)


def deploy(
    *deployments: FlowDeployment,
    work_pool_name: str | None = None,
    image: Any = None,
    build: bool = True,
    push: bool = True,
    print_next_steps_message: bool = True,
    ignore_warnings: bool = False,
) -> list[Deployed]:
    """Deploy flows: all of them, or none where one of them cannot run.

    Args:
        deployments: What `flow.to_deployment(...)` gives.
        work_pool_name: The queue of those that name none.
        image: Refused: a deployment names code, and a worker runs it where it is.
        build: Of `image`.
        push: Of `image`.
        print_next_steps_message: Whether to print what was deployed.
        ignore_warnings: There are none.

    Returns:
        What became of each: its version, and whether anything changed.

    Raises:
        DefinitionError: one of them cannot run; the sentence says why, and nothing was written.
        StoreUnavailable: the store cannot be reached.
    """
    refuse_image(image)
    check_deployments(deployments, "deploy")
    stop_if_loading(deployments[0].flow)
    queues = [work_pool_name or one.draft.spec.queue for one in deployments]
    done = deployed(recorder_here().store(), deployments, queues=queues)
    for one in done if print_next_steps_message else ():
        name = one.deployment.name
        what = f"is at version {one.deployment.version.number}" if one.changed else "has not changed"
        print(f"Deployment {name} {what}. Start a run of it with: nadi trigger {told_for_shell(name, repr(name))}")
    return done


def deployed(store: Store, deployments: Sequence[FlowDeployment], *, queues: Sequence[str]) -> list[Deployed]:
    """Deploy, and pause what is to be paused. See `deploy` for what it raises.

    Args:
        store: Where.
        deployments: The deployments.
        queues: For each of them its queue, if it names none itself.
    """
    now = clock.now()
    drafts = [_in_queue(one.draft, queue) for one, queue in zip(deployments, queues, strict=True)]
    prepared = prepare(drafts, home=Home(read_settings().home), now=now, by=_who())
    raise_findings(prepared.findings)
    done = deploy_versions(store, prepared.versions, now=now)
    for one in deployments:
        if one.paused is not None:
            store.deployments.set_paused(one.name, one.paused, now=now)
    return done


def check_deployments(deployments: Sequence[Any], called: str) -> None:
    """Raise unless these are deployments, at least one.

    Raises:
        CallError: they are not.
    """
    for one in deployments:
        if not isinstance(one, FlowDeployment):
            raise CallError(f"{called}() takes what flow.to_deployment(...) gives, not {safe_repr(one, 60)}.")
    if not deployments:
        raise CallError(f'{called}() needs at least one deployment: {called}(my_flow.to_deployment("nightly")).')


def _in_queue(draft: Draft, queue: str) -> Draft:
    if draft.spec.queue != DEFAULT_QUEUE:
        return draft
    return replace(draft, spec=replace(draft.spec, queue=queue))


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        user = "somebody"
    return f"{user} on {this_host()}"


# -- code from elsewhere --


def flow_from_source(source: Any, entrypoint: str) -> Any:
    """Return a flow whose code lies elsewhere, loaded: what `Flow.from_source(...)` does.

    What is deployed of it is fetched from there by each worker.

    Args:
        source: A folder; the address of a git repository (its own branch) or of an archive; or a table such as
            `{"git": ..., "branch": ...}`, as in nadi.toml.
        entrypoint: `path/to/file.py:flow` or `package.module:flow`, from there on.

    Raises:
        DefinitionError: this is no source.
        LoadError: it cannot be fetched, or the flow cannot be loaded.
    """
    read = read_source(_table(source), folder=working_folder())
    home, now = Home(read_settings().home), clock.now()
    folder = fetched(pinned(read, home, now=now), home, now=now)
    flow = load_flow(entrypoint, cwd=folder)
    flow.__dict__["_place"] = FlowPlace(_table(source), entrypoint)
    return flow


def _table(source: Any) -> Any:
    if isinstance(source, Path):
        return os.path.abspath(source)
    if not isinstance(source, str):
        return source
    if source.lower().endswith(ARCHIVE_ENDINGS) and "://" in source:
        return {"archive": source}
    # A repository is known by how its address looks: a folder has neither a scheme nor a host.
    is_git = "://" in source or source.endswith(".git") or ("@" in source.split(":")[0] and ":" in source)
    return {"git": source} if is_git else os.path.abspath(os.path.expanduser(source))


# -- runs --


def run_deployment(
    name: str,
    client: Any = None,
    parameters: Mapping[str, Any] | None = None,
    scheduled_time: datetime | None = None,
    flow_run_name: str | None = None,
    timeout: float | None = None,
    poll_interval: float | None = 5,
    tags: Iterable[str] | None = None,
    idempotency_key: str | None = None,
    work_queue_name: str | None = None,
    as_subflow: bool | None = True,
    job_variables: Mapping[str, Any] | None = None,
) -> Any:
    """Ask for a run of a deployment, wait until it has ended, and return it as it is then. In async code, await it.

    Inside of a flow or task, one that is resumed or retried asks for the very run that it asked for before.

    Args:
        name: Name of the deployment; `flow/deployment`, as Prefect has it, serves too.
        client: Refused.
        parameters: By name, over those of the deployment.
        scheduled_time: When it starts at the earliest; without a zone a local time.
        flow_run_name: Name of the run; made up if not given.
        timeout: Seconds to wait for its end, after which it is returned as it is; 0 does not wait, `None` has no end.
        poll_interval: The most seconds between two looks; Nadi looks five times a second at least.
        tags: Tags of the run beside the deployment's.
        idempotency_key: Asking again with the same key gives the same run.
        work_queue_name: The queue to wait in; the deployment's if not given.
        as_subflow: Of no effect: the run is one of its own.
        job_variables: Refused: environment and resources are the deployment's.

    Raises:
        NotFound: there is no such deployment.
        ValueRefused: its flow does not take these parameters, or JSON has nothing for one of them.
    """
    if client is not None:
        raise CallError("run_deployment() asks the store that is in force: leave out client=.")
    if job_variables:
        raise CallError(
            "run_deployment() takes no job_variables: environment and resources are the deployment's. Make a second"
            " deployment with others, or give what differs as parameters."
        )
    asked = Asked(
        parameters=_plain(parameters or {}),
        name=flow_run_name or "",
        tags=tuple(tags or ()),
        due=scheduled_time.timestamp() if scheduled_time is not None else 0.0,
        key=_key(name, parameters or {}) if idempotency_key is None else idempotency_key,
        queue=work_queue_name or "",
    )
    run = _asked_for(name, asked)
    look = _LOOK if poll_interval is None else min(max(poll_interval, 0.01), _LOOK)
    scope = current.get()
    in_async = scope.spec.is_async if scope is not None else running_loop() is not None
    return _awaited(run, timeout, look) if in_async else _waited_for(run, timeout, look)


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    plain = {}
    for name, value in parameters.items():
        try:
            plain[name] = as_json(value)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise ValueRefused(f"Parameter {name!r} cannot be given to another process as JSON: {error}.") from None
    return plain


def _key(name: str, parameters: Mapping[str, Any]) -> str:
    return recorded_id(f"run_deployment {name}", dict(parameters)) if current.get() is not None else ""


def _asked_for(name: str, asked: Asked) -> FlowRun:
    into = recorder_here()
    store, id = into.store(), clock.new_id()
    keeper = into.keeper(id, 1)
    if keeper is None:
        raise ValueRefused("The parameters cannot be kept for the run: the store cannot be written from here.")
    called = _called(store, name)
    run, _ = trigger(store, keeper.storage, called, asked, id=id, now=clock.now(), chance=clock.random)
    return run


def _called(store: Store, name: str) -> str:
    """Return the name of the deployment that a caller means.

    Raises:
        NotFound: Prefect's name says another flow than the deployment has.
    """
    flow, slash, alone = name.rpartition("/")
    if not slash:
        return name
    found = store.deployments.deployment(alone)
    if found is None or found.version.spec.flow != flow:
        raise no_deployment(name, store.url)
    return alone


def _waited_for(run: FlowRun, timeout: float | None, look: float) -> FlowRun:
    if timeout == 0:
        return run
    try:
        return finished_run(run.id, timeout=timeout, poll_interval=look, log_states=False)
    except TimedOut:
        return recorder_here().store().flow_run(run.id) or run


async def _awaited(run: FlowRun, timeout: float | None, look: float) -> FlowRun:
    if timeout == 0:
        return run
    try:
        return await await_run(run.id, timeout=timeout, poll_interval=look, log_states=False)
    except TimedOut:
        return recorder_here().store().flow_run(run.id) or run


__all__ = ["FlowDeployment", "deploy", "run_deployment"]
