"""`nadi deployments`: lists deployments, shows one, and pauses, rolls back and removes them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from nadi.cli.changes import note_change
from nadi.cli.output import ago, bold, dim, local_time, paragraph, print_table, say, say_json
from nadi.cli.reading import TEXT, Text, store_for_reading
from nadi.engine.deployment_changes import difference
from nadi.engine.deployment_runs import no_deployment
from nadi.engine.deployment_shapes import deployment_shape, version_shape
from nadi.exceptions import CallError, NadiError, NotFound
from nadi.model.deployments import ArchiveSource, Deployment, DeploymentVersion, FolderSource, GitSource, Source
from nadi.model.schedules import describe
from nadi.model.text import human_bytes, human_duration, one_line, plural
from nadi.storage.contract import Store
from nadi.storage.home import Home
from nadi.storage.settings import read_settings

_EXAMPLES = """\b
Examples:
  nadi deployments
  nadi deployments show nightly
  nadi deployments rollback nightly 3
  nadi deployments pause nightly
"""

#: The most that is listed.
MOST = 1000
#: How many instants `show` tells of a schedule.
_NEXT = 3


class DeploymentArgument(Text):
    """A deployment, by its name; completes the names there are."""

    name = "deployment"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        # Loads click's completion module, which nothing else needs.
        from click.shell_completion import CompletionItem

        try:
            with store_for_reading(look=False) as store:
                found = store.deployments.deployments(limit=MOST) if store is not None else []
        except NadiError:
            return []
        return [
            CompletionItem(one.name, help=one.version.spec.flow) for one in found if one.name.startswith(incomplete)
        ]


DEPLOYMENT = DeploymentArgument()


@click.group(epilog=_EXAMPLES, invoke_without_command=True)
@click.option("--text", type=TEXT, default="", help="Only those whose name contains this.")
@click.option("--flow", type=TEXT, default="", metavar="NAME", help="Only those of this flow.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(context: click.Context, text: str, flow: str, as_json: bool) -> None:
    """List deployments; show, pause, roll back and remove them."""
    if context.invoked_subcommand is not None:
        return
    with store_for_reading(look=False) as store:
        found = store.deployments.deployments(text=text, flow=flow, limit=MOST) if store is not None else []
    if as_json:
        say_json([deployment_shape(one) for one in found])
    elif not found:
        say("There is no deployment. Make one: nadi deploy path/to/file.py:flow")
    else:
        _print_list(found, time.time())


def _print_list(found: list[Deployment], now: float) -> None:
    rows = [
        (
            one.name,
            one.version.spec.flow,
            "paused" if one.paused else "active",
            f"{one.version.number}",
            _schedules_told(one.version),
            one.version.spec.queue,
            ago(one.updated, now),
        )
        for one in found
    ]
    print_table(("DEPLOYMENT", "FLOW", "IS", "VERSION", "SCHEDULE", "QUEUE", "CHANGED"), rows, flexible=(0, 1, 4))
    if len(found) == MOST:
        say(dim(f"These are the first {MOST:,}. Name a part of what you look for with --text."))


def _schedules_told(version: DeploymentVersion) -> str:
    schedules = version.spec.schedules
    return describe(schedules[0]) if len(schedules) == 1 else f"{len(schedules)} schedules" if schedules else ""


# -- reading --


@contextmanager
def deployment_for_reading(name: str) -> Iterator[tuple[Store, Deployment]]:
    """Open the store and find a deployment.

    Raises:
        NotFound: there is none of this name.
    """
    with store_for_reading(look=False) as store:
        found = store.deployments.deployment(name) if store is not None else None
        if store is None or found is None:
            raise no_deployment(name, store.url if store is not None else str(Home(read_settings().home).path))
        yield store, found


@command.command("show")
@click.argument("name", type=DEPLOYMENT)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(name: str, as_json: bool) -> None:
    """Show the deployment NAME: the version in force, its schedules and when they fire next."""
    with deployment_for_reading(name) as (_, found):
        pass
    if as_json:
        say_json({**msgspec.to_builtins(deployment_shape(found)), "in_force": version_shape(found.version)})
    else:
        _print_one(found)


def _print_one(found: Deployment) -> None:
    spec = found.version.spec
    paused = "  paused: its schedules do not fire" if found.paused else ""
    say(f"{bold(one_line(found.name))}{paused}")
    if spec.description:
        say(paragraph(one_line(spec.description), indent="  "))
    lines = {
        "version": _version_told(found.version),
        "flow": f"{spec.flow} ({spec.entrypoint})",
        "source": _source_told(spec.source),
        "parameters": msgspec.json.encode(spec.parameters).decode() if spec.parameters else "",
        "queue": spec.queue + (f", priority {spec.priority}" if spec.priority else ""),
        "at once": plural(spec.concurrency, "run") if spec.concurrency else "",
        "tags": ", ".join(spec.tags),
        "executor": spec.executor,
        "resources": _resources_told(found.version),
        "crashes": f"{spec.crash_policy}, at most {spec.most_crashes} in a row",
        "environment": ", ".join(f"{key}={value}" for key, value in spec.environment.items()),
        "interpreter": spec.interpreter,
    }
    for label, text in lines.items():
        if text:
            say(f"  {label.ljust(12)}{one_line(text)}")
    for schedule in spec.schedules:
        say(f"  {'schedule'.ljust(12)}{one_line(f'{schedule.name}: ' if schedule.name else '')}{describe(schedule)}")
        for at in [] if found.paused or not schedule.active else schedule.next(_NEXT, datetime.now(UTC)):
            say(dim(f"  {''.ljust(12)}next {local_time(at.timestamp())}"))


def _version_told(version: DeploymentVersion) -> str:
    commit = (
        f", commit {version.git_commit[:12]}{' with changes' if version.git_dirty else ''}"
        if version.git_commit
        else ""
    )
    by = f" by {version.by}" if version.by else ""
    return f"{version.number}, deployed {local_time(version.created)}{by}{commit}"


def _source_told(source: Source) -> str:
    match source:
        case FolderSource(path=path, host=host):
            return f"{path} on {host}"
        case GitSource(url=url, commit=commit, branch=branch, folder=folder):
            return " ".join(filter(None, (url, branch, commit[:12], folder)))
        case ArchiveSource(url=url, folder=folder):
            return " ".join(filter(None, (url, folder)))


def _resources_told(version: DeploymentVersion) -> str:
    one = version.spec.resources
    told = {
        "memory": human_bytes(one.memory_bytes) if one.memory_bytes else "",
        "processor": human_duration(one.cpu_seconds) if one.cpu_seconds else "",
        "wall": human_duration(one.wall_seconds) if one.wall_seconds else "",
    }
    return ", ".join(f"{name} {text}" for name, text in told.items() if text)


@command.command("versions")
@click.argument("name", type=DEPLOYMENT)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def versions(name: str, as_json: bool) -> None:
    """List the versions of the deployment NAME, newest first, with what each changed."""
    with deployment_for_reading(name) as (store, deployment):
        found = store.deployments.versions(name, limit=MOST)
    if as_json:
        say_json([version_shape(one) for one in found])
        return
    rows = [
        (
            f"{one.number}{' (in force)' if one.number == deployment.version.number else ''}",
            local_time(one.created),
            one.by,
            one.git_commit[:12] + (" with changes" if one.git_dirty else ""),
            ", ".join(change.field for change in difference(before, one).changes) if before is not None else "",
        )
        for one, before in zip(found, [*found[1:], None], strict=True)
    ]
    print_table(("VERSION", "DEPLOYED", "BY", "COMMIT", "CHANGED"), rows, flexible=(2, 4))


# -- changing --


@command.command("rollback")
@click.argument("name", type=DEPLOYMENT)
@click.argument("number", type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True, help="Print the deployment as JSON.")
def roll_back(name: str, number: int, as_json: bool) -> None:
    """Put version NUMBER of the deployment NAME in force again.

    Runs that wait keep the version with which they were asked for.
    """
    with deployment_for_reading(name) as (store, before):
        done = store.deployments.roll_back(name, number, now=time.time())
        if done is None:
            raise NotFound(f"Deployment {name} has no version {number}. `nadi deployments versions {name}` lists them.")
        if done.changed:
            note_change(store, "roll_back_deployment", name, version=number)
    if as_json:
        say_json(deployment_shape(done.deployment))
    elif not done.changed:
        say(f"{one_line(name)} is at version {number} already.")
    else:
        say(f"{one_line(name)} is at version {number} again; it was at {before.version.number}.")


@command.command("pause")
@click.argument("name", type=DEPLOYMENT)
@click.option("--json", "as_json", is_flag=True, help="Print the deployment as JSON.")
def pause(name: str, as_json: bool) -> None:
    """Let the schedules of the deployment NAME rest; what is asked for by hand runs all the same."""
    _set_paused(name, True, as_json)


@command.command("resume")
@click.argument("name", type=DEPLOYMENT)
@click.option("--json", "as_json", is_flag=True, help="Print the deployment as JSON.")
def resume(name: str, as_json: bool) -> None:
    """Let the schedules of the deployment NAME fire again, from now on."""
    _set_paused(name, False, as_json)


def _set_paused(name: str, paused: bool, as_json: bool) -> None:
    with deployment_for_reading(name) as (store, before):
        store.deployments.set_paused(name, paused, now=time.time())
        after = store.deployments.deployment(name)
        if before.paused != paused:
            note_change(store, "pause_deployment" if paused else "resume_deployment", name)
    if after is None:
        raise CallError(f"Deployment {name} was removed meanwhile.")
    if as_json:
        say_json(deployment_shape(after))
    else:
        already = " already" if before.paused == paused else ""
        say(f"{one_line(name)} is {'paused' if paused else 'active'}{already}.")


@command.command("remove")
@click.argument("name", type=DEPLOYMENT)
@click.option("--json", "as_json", is_flag=True, help="Print what was removed as JSON.")
def remove(name: str, as_json: bool) -> None:
    """Remove the deployment NAME, its versions and schedules.

    Its runs stay; those that wait for a worker are cancelled.
    """
    with deployment_for_reading(name) as (store, _):
        if store.deployments.remove(name, now=time.time()):
            note_change(store, "remove_deployment", name)
    if as_json:
        say_json({"removed": name})
    else:
        say(dim(f"Removed {one_line(name)}."))
