"""From work that a worker has taken to the job that its launcher starts."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nadi.engine.code_sources import fetched
from nadi.model.deployments import DeploymentVersion
from nadi.model.runs import FlowRun
from nadi.model.work import Work
from nadi.storage.contract import Store
from nadi.storage.home import Home
from nadi.storage.printed import MOST_PRINTED, cut, keep_newest
from nadi.storage.results import LocalResults, ResultStorage
from nadi.storage.settings import Settings
from nadi.workers.contract import Job

if TYPE_CHECKING:
    from pathlib import Path

#: Files with the output of runs that are kept, and after how many new ones the oldest are removed.
MOST_KEPT, EVERY = 1000, 50
#: Versions of deployments that are remembered: none ever changes.
MOST_VERSIONS = 200


class Jobs:
    """Makes jobs, and keeps the files with what their runs print."""

    def __init__(self, home: Home, environment: Mapping[str, str], *, lease_term: float) -> None:
        """Make jobs for one worker.

        Args:
            home: Where code that was fetched, and what is printed, is kept.
            environment: What the environment of every run has; see `environment_for`.
            lease_term: See `Job`.
        """
        self._home, self._environment, self._lease_term = home, dict(environment), lease_term
        self._versions: dict[tuple[str, int], DeploymentVersion] = {}
        self._made = 0

    def version(self, store: Store, work: Work) -> DeploymentVersion | None:
        """Return the version of the deployment that work is of; `None` where the deployment was removed."""
        key = (work.deployment, work.version)
        if key not in self._versions:
            found = store.deployments.version(*key)
            if found is None:
                return None
            if len(self._versions) >= MOST_VERSIONS:
                self._versions.pop(next(iter(self._versions)))
            self._versions[key] = found
        return self._versions[key]

    def make(self, work: Work, record: FlowRun, version: DeploymentVersion) -> Job:
        """Return the job of a run; its code is fetched first where it lies elsewhere, which may take minutes.

        Raises:
            LoadError: its code cannot be had.
        """
        spec = version.spec
        return Job(
            run=work.run,
            name=record.name,
            token=record.token,
            deployment=work.deployment,
            version=work.version,
            entrypoint=spec.entrypoint,
            folder=fetched(spec.source, self._home, now=time.time()),
            interpreter=spec.interpreter or sys.executable,
            environment={**spec.environment, **self._environment_over(spec.environment)},
            executor=spec.executor,
            resources=spec.resources,
            when_cut_off=spec.when_cut_off,
            output=str(self._new_output(work.run)),
            lease_term=self._lease_term,
        )

    def output(self, run: str) -> Path:
        """Return the file that takes what a run prints."""
        return self._home.output / f"{run}.log"

    def cut_outputs(self, runs: list[str]) -> None:
        """Cut off the beginning of what runs have printed, where it has grown too large."""
        for run in runs:
            path = self.output(run)
            try:
                if path.stat().st_size > MOST_PRINTED:
                    cut(path)
            except OSError:
                continue

    def _environment_over(self, own: Mapping[str, str]) -> dict[str, str]:
        # What says where runs are recorded is the worker's to say; of the rest the deployment's comes first.
        return {name: value for name, value in self._environment.items() if name not in own or name in OURS}

    def _new_output(self, run: str) -> Path:
        self._made += 1
        folder = self._home.ensure(self._home.output)
        if self._made % EVERY == 1:
            keep_newest(folder, MOST_KEPT, but=set())
        return self.output(run)


#: Variables that say where runs are recorded, and how their process shows that it lives.
OURS = frozenset(
    {"NADI_HOME", "NADI_DATABASE_URL", "NADI_API_URL", "NADI_API_KEY", "NADI_RESULTS_URL", "NADI_LEASE_TERM"}
)


def environment_for(
    store: Store, results: ResultStorage, settings: Settings, home: Home, *, lease_term: float
) -> dict[str, str]:
    """Return the environment of processes that use the same store as this one, whatever their folder says.

    Args:
        store: The store of this process.
        results: Where this process keeps results.
        settings: The settings of this process.
        home: The home of this process.
        lease_term: Seconds of silence after which such a process counts as gone.
    """
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    environment["NADI_HOME"] = str(home.path)
    if settings.api_url:
        environment["NADI_API_URL"], environment["NADI_API_KEY"] = settings.api_url, settings.api_key
    else:
        # A store's own URL has no credentials; of a file it needs none.
        is_file = store.url.startswith("sqlite:")
        environment["NADI_DATABASE_URL"] = store.url if is_file else settings.database_url
    if not settings.api_url or settings.results_url:
        is_folder = isinstance(results, LocalResults)
        # A folder's URL writes spaces as %20, and the setting takes it as it is.
        environment["NADI_RESULTS_URL"] = f"file://{results.folder}" if is_folder else results.url  # type: ignore[attr-defined]
    environment["NADI_LEASE_TERM"] = f"{lease_term:g}"
    # What runs log is recorded; what they print is kept in a file of its own.
    environment.setdefault("NADI_LOG_TO_CONSOLE", "false")
    return {name: value for name, value in environment.items() if value}
