"""Deployments: what is run, from which code, with what, when, and what holds for its runs."""

from __future__ import annotations

from typing import Any

import msgspec

from nadi.model.schedules import Schedule
from nadi.model.work import DEFAULT_QUEUE, MOST_CRASHES, CrashPolicy, WhenCutOff


class FolderSource(msgspec.Struct, frozen=True, kw_only=True, tag="folder", tag_field="kind", omit_defaults=True):
    """Code in a folder of one machine, run where it lies."""

    #: Absolute path; the working folder of the runs.
    path: str
    host: str


class GitSource(msgspec.Struct, frozen=True, kw_only=True, tag="git", tag_field="kind", omit_defaults=True):
    """Code in a git repository, fetched once for each commit."""

    #: What `git clone` takes.
    url: str
    #: The commit, in full: a branch or tag is looked up when the deployment is made.
    commit: str
    #: The branch or tag that was asked for; "" where a commit was.
    branch: str = ""
    #: Folder in the repository that is the working folder.
    folder: str = ""


class ArchiveSource(msgspec.Struct, frozen=True, kw_only=True, tag="archive", tag_field="kind", omit_defaults=True):
    """Code in an archive (.tar, .tar.gz, .zip) at a storage URL, fetched once for each content."""

    url: str
    #: SHA-256 of the archive, in hexadecimal: what was deployed is what runs.
    digest: str
    folder: str = ""


Source = FolderSource | GitSource | ArchiveSource


class Resources(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one run may use; 0 for no limit."""

    #: Bytes of memory of the run's processes together.
    memory_bytes: int = 0
    #: Seconds of processor time of the run's own process.
    cpu_seconds: float = 0.0
    #: Seconds from start to end of one attempt.
    wall_seconds: float = 0.0


class DeploymentSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that somebody says of a deployment. Equal specs of equal code are one version."""

    name: str
    #: `path/to/file.py:flow`, relative to the working folder, or `package.module:flow`.
    entrypoint: str
    source: Source
    #: Name of the flow.
    flow: str
    description: str = ""
    #: By name, as JSON has them; a schedule's own, and those of who asks for a run, go over them.
    parameters: dict[str, Any] = {}
    schedules: tuple[Schedule, ...] = ()
    tags: tuple[str, ...] = ()
    #: Name of the executor of the flow's tasks; "" for the flow's own.
    executor: str = ""
    resources: Resources = Resources()
    crash_policy: CrashPolicy = CrashPolicy.RESUME
    #: Crashes in a row, without a task finished in between, after which a run is not taken up again.
    most_crashes: int = MOST_CRASHES
    when_cut_off: WhenCutOff = WhenCutOff.CONTINUE
    queue: str = DEFAULT_QUEUE
    priority: int = 0
    #: How many of its runs may be under way at once; 0 for no limit.
    concurrency: int = 0
    #: Variables of the environment of its runs. Not for secrets: everybody who may read can see them.
    environment: dict[str, str] = {}
    #: Path of the Python that runs it; "" for the worker's own.
    interpreter: str = ""


class DeploymentVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a deployment, as it was deployed; it never changes."""

    deployment: str
    #: 1, 2, 3 ...; 0 for one that is not kept yet.
    number: int
    spec: DeploymentSpec
    #: Digest of spec and code together, in hexadecimal.
    digest: str
    #: Digest of the code alone: the flow's file and the modules beside it that it imports.
    code: str = ""
    #: Commit of the working tree it was deployed from, and whether that differed from it; "" outside of git.
    git_commit: str = ""
    git_dirty: bool = False
    #: JSON Schema of the flow's parameters.
    schema: dict[str, Any] = {}
    #: Unix seconds, and who deployed it.
    created: float = 0.0
    by: str = ""


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment as readers see it."""

    name: str
    #: The version that is in force.
    version: DeploymentVersion
    #: The greatest number of a version of it.
    newest: int
    #: While it is, its schedules do not fire; what is asked for runs.
    paused: bool
    #: When it was first deployed, and when it was last changed; Unix seconds.
    created: float
    updated: float


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of deploying."""

    deployment: Deployment
    #: `False` where this very version was in force already: then nothing was changed.
    changed: bool
