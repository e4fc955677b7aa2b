"""Deploying: from a draft to a version. What cannot run is refused before anything is written.

The code is found and pinned (a branch is a commit from here on), and a child process loads the flow and looks whether
it takes the parameters of the deployment and of each of its schedules.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from nadi.engine.checking import Finding
from nadi.engine.code_sources import fetched, pinned
from nadi.engine.deployed_code import CodeAsked, CodeSeen, Given, Unfit
from nadi.engine.deployment_drafts import Draft
from nadi.engine.deployment_files import finding_of
from nadi.engine.provenance import is_git_dirty, read_git_commit
from nadi.exceptions import LoadError
from nadi.model.deployments import Deployed, DeploymentSpec, DeploymentVersion, FolderSource, GitSource, Source
from nadi.model.digests import blake2b
from nadi.model.text import one_line
from nadi.model.toml_lines import Path as KeyPath
from nadi.storage.contract import Store
from nadi.storage.home import Home

#: Seconds that the code of a flow may take to load.
LONGEST = 120.0
#: How many processes load code at once.
AT_ONCE = 4
#: Seconds that git may take to say whether a working tree is changed.
_GIT_PATIENCE = 5.0


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """What came of drafts: the versions that they are, or what is wrong with them."""

    versions: tuple[DeploymentVersion, ...]
    findings: tuple[Finding, ...]


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """A draft whose code is here."""

    draft: Draft
    source: Source
    folder: str


def prepare(drafts: Sequence[Draft], *, home: Home, now: float, by: str) -> Prepared:
    """Look at the code of drafts and return the versions that they are, numbered 0, in their order.

    Code is loaded by child processes, several at once, each with the interpreter and the environment of its deployment.

    Args:
        drafts: The drafts.
        home: Keeps code that is fetched.
        now: Unix seconds.
        by: Who deploys.
    """
    findings = list(_named_twice(drafts))
    found = []
    for draft in drafts:
        try:
            source = pinned(draft.spec.source, home, now=now)
            found.append(_Found(draft=draft, source=source, folder=fetched(source, home, now=now)))
        except LoadError as error:
            findings.append(finding_of(draft, ("source",), f"Deployment {draft.spec.name!r}: {error}", "source"))
    seen = _all_seen(found)
    versions = []
    for one, code in zip(found, seen, strict=True):
        wrong = list(_findings(one.draft, code))
        findings += wrong
        if not wrong:
            versions.append(_version(one, code, now=now, by=by))
    return Prepared(versions=() if findings else tuple(versions), findings=tuple(findings))


def deploy_versions(store: Store, versions: Sequence[DeploymentVersion], *, now: float) -> list[Deployed]:
    """Put versions in force, one after the other; what is in force already is left as it is.

    Raises:
        StoreError: the store cannot be used; those that were written before stay.
    """
    return [store.deployments.deploy(version, now=now) for version in versions]


def digest_of(spec: DeploymentSpec, code: str) -> str:
    """Return the digest of a version: equal specs of equal code are one."""
    told = msgspec.json.encode(spec, order="deterministic")
    return blake2b(told + b"\n" + code.encode(), digest_size=16).hexdigest()


def _named_twice(drafts: Sequence[Draft]) -> list[Finding]:
    seen: dict[str, Draft] = {}
    findings = []
    for draft in drafts:
        name = draft.spec.name
        if name in seen:
            where = f" (the other one is in {seen[name].file})" if seen[name].file else ""
            findings.append(finding_of(draft, (), f"Two deployments are called {name!r}{where}. Rename one of them."))
        seen.setdefault(name, draft)
    return findings


# -- versions --


def _version(found: _Found, code: CodeSeen, *, now: float, by: str) -> DeploymentVersion:
    draft = found.draft.spec
    description = draft.description or code.description
    spec = msgspec.structs.replace(draft, source=found.source, flow=code.flow, description=description)
    commit, dirty = _git_state(found)
    return DeploymentVersion(
        deployment=spec.name,
        number=0,
        spec=spec,
        digest=digest_of(spec, code.code),
        code=code.code,
        git_commit=commit,
        git_dirty=dirty,
        schema=code.schema,
        created=now,
        by=by,
    )


def _git_state(found: _Found) -> tuple[str, bool]:
    if isinstance(found.source, GitSource):
        return found.source.commit, False
    if not isinstance(found.source, FolderSource):
        return "", False
    commit = read_git_commit(found.folder) or ""
    return commit, bool(commit and is_git_dirty(found.folder, timeout=_GIT_PATIENCE))


# -- what the code says --


def _findings(draft: Draft, code: CodeSeen) -> list[Finding]:
    name = draft.spec.name
    if code.error:
        return [finding_of(draft, ("entrypoint",), f"Deployment {name!r}: {code.error}", "entrypoint")]
    return [_of_parameter(draft, unfit) for unfit in code.unfit]


def _of_parameter(draft: Draft, unfit: Unfit) -> Finding:
    name, keys = draft.spec.name, _keys_of(draft, unfit)
    told = f"Deployment {name!r}: {_whose(draft, unfit)}: {unfit.message}"
    return finding_of(draft, keys, told, "parameters")


def _keys_of(draft: Draft, unfit: Unfit) -> KeyPath:
    inside = ("parameters", unfit.parameter) if unfit.parameter else ("parameters",)
    if unfit.number == 0:
        return inside
    number = unfit.number - 1
    own: KeyPath = ("schedules", number, *inside)
    # A single schedule may be told without a list around it, and by a key of its own.
    places = [own, ("schedules", *inside), ("schedule", *inside), ("schedule", number, *inside)]
    places += [("schedules", number), ("schedule", number), ("schedule",), ("schedules",)]
    return next((keys for keys in places if keys in draft.lines), own)


def _whose(draft: Draft, unfit: Unfit) -> str:
    if unfit.number == 0:
        return "parameters"
    name = draft.spec.schedules[unfit.number - 1].name
    return f"parameters of the schedule {name!r}" if name else "parameters of its schedule"


def _given(spec: DeploymentSpec) -> tuple[Given, ...]:
    """Return what runs will be given: what the deployment says first, then what each schedule adds to that."""
    own = Given(parameters=spec.parameters)
    # Nobody is there to give what a schedule leaves out. What is not its own has been looked at.
    scheduled = (Given(parameters={**spec.parameters, **one.parameters}, is_all=True) for one in spec.schedules)
    return (own, *scheduled)


def _all_seen(found: Sequence[_Found]) -> list[CodeSeen]:
    running: set[Any] = set()
    with ThreadPoolExecutor(min(AT_ONCE, len(found) or 1)) as pool:
        try:
            return list(pool.map(lambda one: _seen(one, running), found))
        except BaseException:
            # Ctrl-C comes to this thread alone, and leaving the pool waits for the others.
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(running):
                _end(process)
            raise


def _seen(found: _Found, running: set[Any]) -> CodeSeen:
    spec = found.draft.spec
    interpreter = _interpreter(found)
    if not interpreter:
        return CodeSeen(error=f"The interpreter {spec.interpreter} is not there, or cannot be started.")
    within = "" if isinstance(found.source, FolderSource) else found.folder
    asked = CodeAsked(entrypoint=spec.entrypoint, within=within, given=_given(spec))
    seen = _ask(asked, interpreter, found.folder, spec.environment, running)
    # What is wrong with a parameter of the deployment itself is told once, and not for each schedule again.
    own = {one.parameter for one in seen.unfit if one.number == 0}
    unfit = tuple(one for one in seen.unfit if one.number == 0 or one.parameter not in own)
    return msgspec.structs.replace(seen, unfit=unfit)


def _interpreter(found: _Found) -> str:
    """Return which Python loads the code here; "" where the one that is asked for has to be here and is not."""
    wanted = found.draft.spec.interpreter
    if not wanted or os.access(wanted, os.X_OK):
        return wanted or sys.executable
    # It is the worker's, which may be in another container or on another machine.
    return "" if isinstance(found.source, FolderSource) else sys.executable


def _ask(
    asked: CodeAsked, interpreter: str, folder: str, environment: Mapping[str, str], running: set[Any]
) -> CodeSeen:
    """Have a process look at code; it is among `running` for as long as it lives."""
    import subprocess  # slow to import, and only who deploys needs it

    try:
        process = subprocess.Popen(
            # -P: as a worker starts it, without the working folder on its path.
            [interpreter, "-P", "-m", "nadi.engine.deployed_code"],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Its own session: all that it starts can be ended with it.
            start_new_session=True,
        )
    except OSError as error:
        return CodeSeen(error=f"No process of {interpreter} can be started in {folder}: {error.strerror}.")
    running.add(process)
    with process:
        try:
            told, printed = process.communicate(msgspec.json.encode(asked), timeout=LONGEST)
        except subprocess.TimeoutExpired:
            _end(process)
            return CodeSeen(error=f"{asked.entrypoint} was not loaded within {LONGEST:g} seconds.")
        finally:
            running.discard(process)
    return _read(told, printed, process.returncode, asked.entrypoint)


def _end(process: Any) -> None:
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except OSError:  # it has ended meanwhile
        pass


def _read(told: bytes, printed: bytes, status: int, entrypoint: str) -> CodeSeen:
    try:
        return msgspec.json.decode(told, type=CodeSeen)
    except msgspec.DecodeError:
        lines = [line for line in printed.decode("utf-8", "replace").splitlines() if line.strip()]
        last = one_line(lines[-1].strip(), 500) if lines else "it printed nothing"
        why = f"the process that loaded it ended with status {status}: {last.rstrip('.')}."
        return CodeSeen(error=f"{entrypoint} cannot be loaded: {why}")
