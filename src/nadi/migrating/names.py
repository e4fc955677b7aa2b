"""Where the names of Prefect 1, 2 and 3 are found in Nadi: asked of the modules themselves, so it is never stale."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from types import ModuleType
from typing import NamedTuple

#: Modules whose names are elsewhere here, in the order in which they are looked into. Others have the same path.
MODULES: dict[str, tuple[str, ...]] = {
    "prefect.client.schemas": ("nadi.states",),
    "prefect.client.schemas.objects": ("nadi.states",),
    "prefect.context": ("nadi.runtime", "nadi"),
    "prefect.core": ("nadi", "nadi.declarative"),
    "prefect.core.edge": ("nadi.declarative",),
    "prefect.core.flow": ("nadi",),
    "prefect.core.parameter": ("nadi", "nadi.declarative"),
    "prefect.core.task": ("nadi",),
    "prefect.engine": ("nadi",),
    "prefect.engine.cache_validators": ("nadi.cache_validators", "nadi.declarative.validators"),
    "prefect.engine.executors": ("nadi.executors",),
    "prefect.engine.result": ("nadi.results", "nadi.declarative.results"),
    "prefect.engine.results": ("nadi.results", "nadi.declarative.results"),
    "prefect.engine.serializers": ("nadi.serializers", "nadi.declarative.serializers"),
    "prefect.engine.signals": ("nadi.signals",),
    "prefect.engine.state": ("nadi.declarative.states",),
    "prefect.executors.dask": ("nadi.executors",),
    "prefect.executors.local": ("nadi.executors",),
    "prefect.flow_runs": ("nadi.flow_runs", "nadi"),
    "prefect.logging.loggers": ("nadi.logging",),
    "prefect.orion.schemas.states": ("nadi.states",),
    "prefect.orion.states": ("nadi.states",),
    # `Schedule` was Prefect 1's, made of clocks, and is in Prefect 3 what its other functions give.
    "prefect.schedules": ("nadi.declarative.schedules", "nadi.schedules"),
    "prefect.schedules.adjustments": ("nadi.schedules.adjustments", "nadi.declarative.adjustments"),
    "prefect.schedules.clocks": ("nadi.schedules.clocks", "nadi.declarative.clocks"),
    "prefect.schedules.filters": ("nadi.schedules.filters", "nadi.declarative.filters"),
    "prefect.schedules.schedules": ("nadi.declarative.schedules",),
    "prefect.server.schemas.states": ("nadi.states",),
    "prefect.tasks": ("nadi.tasks", "nadi.cache_policies", "nadi"),
    "prefect.tasks.control_flow": ("nadi", "nadi.declarative.control_flow"),
    "prefect.tasks.control_flow.case": ("nadi",),
    "prefect.tasks.control_flow.conditional": ("nadi", "nadi.declarative.control_flow"),
    "prefect.tasks.control_flow.filter": ("nadi", "nadi.declarative.control_flow"),
    "prefect.tasks.core": ("nadi.declarative", "nadi"),
    "prefect.tasks.core.resource_manager": ("nadi", "nadi.declarative.resource_manager"),
    "prefect.tasks.resources": ("nadi", "nadi.declarative.resource_manager"),
    "prefect.tasks.resources.base": ("nadi", "nadi.declarative.resource_manager"),
    "prefect.testing.utilities": ("nadi.testing",),
    "prefect.utilities.annotations": ("nadi",),
    "prefect.utilities.debug": ("nadi.declarative", "nadi"),
    "prefect.utilities.edges": ("nadi", "nadi.declarative"),
    "prefect.utilities.logging": ("nadi.logging",),
    "prefect.utilities.notifications": ("nadi.notifications", "nadi.declarative.notifications"),
    "prefect.utilities.notifications.notifications": ("nadi.notifications", "nadi.declarative.notifications"),
    "prefect.utilities.tasks": ("nadi", "nadi.declarative"),
}

#: What is the same thing under another name.
RENAMED = {
    "prefect.Transaction": "nadi.transactions.Transaction",
    "prefect.client.schemas.State": "nadi.states.State",
    "prefect.client.schemas.objects.State": "nadi.states.State",
    "prefect.futures.PrefectConcurrentFuture": "nadi.futures.NadiFuture",
    "prefect.futures.PrefectFuture": "nadi.futures.NadiFuture",
    "prefect.futures.PrefectFutureList": "nadi.futures.FutureList",
    "prefect.testing.utilities.prefect_test_harness": "nadi.testing.nadi_test_harness",
}

#: Where Prefect 1 had its executors, at one time or another.
EXECUTOR_MODULES = (
    "prefect.executors",
    "prefect.engine.executors",
    "prefect.executors.local",
    "prefect.executors.dask",
)

#: What is here under its name only to say that there is no such thing yet.
_REFUSED = (".DaskExecutor", ".DaskTaskRunner", ".RayTaskRunner")

#: Folders of the package that are no public modules; `prefect.engine` and its kin mean other things.
_INTERNAL = {"cli", "declarative", "engine", "migrating", "model", "server", "services", "storage", "workers"}

#: What serves instead of what is not here, by the beginning of the name; the longest that fits is told.
ADVICE = {
    "prefect": "Nadi has nothing of this name; docs/how-to/from-prefect.md tells what there is.",
    "prefect.Client": "there is no server to ask: `nadi runs --json` lists runs, nadi.resume() continues one.",
    "prefect.automations": "automations are not here yet; react in hooks (on_failure=...) until they are.",
    "prefect.backend": "there is no server to ask: `nadi runs --json` lists runs, nadi.resume() continues one.",
    "prefect.blocks": "there are no blocks: pass objects, use nadi.Secret for secrets, Variable for settings.",
    "prefect.blocks.notifications": "there are no blocks: send the message in a hook, on_failure=[...].",
    "prefect.client": "there is no server to ask: `nadi runs --json` lists runs, nadi.resume() continues one.",
    "prefect.client.schemas": "annotations need no such type: write Any; hooks get a run with id, name and parameters.",
    "prefect.client.schemas.actions": "there is no server to ask: `nadi runs --json` lists runs.",
    "prefect.client.schemas.schedules": "nadi.schedules has Cron, Interval and RRule.",
    "prefect.client.Secret": "use nadi.Secret with a value from the environment.",
    "prefect.config": "settings are environment variables, NADI_...; docs/reference/settings.md lists them.",
    "prefect.context": "nadi.runtime tells what is known of the run.",
    "prefect.context.TaskRunContext": "a cache_key_fn is given a nadi.cache_policies.CacheContext: write that.",
    "prefect.deployments": "flow.to_deployment(...) with nadi.deploy(...) or nadi.serve(...), or a nadi.toml.",
    "prefect.docker": "there is no infrastructure to describe; the flow runs where it is started.",
    "prefect.engine.executors": "nadi.executors has threads, processes and one after another. Dask is not here yet.",
    "prefect.environments": "there is no infrastructure to describe; the flow runs where it is started.",
    "prefect.executors": "nadi.executors has threads, processes and one after another. Dask is not here yet.",
    "prefect.filesystems": "results go where NADI_RESULTS_URL says; read and write files in tasks.",
    "prefect.get_client": "there is no server to ask: `nadi runs --json` lists runs, nadi.resume() continues one.",
    "prefect.infrastructure": "there is no infrastructure to describe; the flow runs where it is started.",
    "prefect.locking": "transactions and caches lock by themselves, over threads and processes: take it out.",
    "prefect.orion": "there is no server.",
    "prefect.orion.schemas.schedules": "nadi.schedules has Cron, Interval and RRule.",
    "prefect.results": "results go where NADI_RESULTS_URL says.",
    "prefect.run_configs": "there is no infrastructure to describe; the flow runs where it is started.",
    "prefect.runner": "nadi.serve(...) and `nadi worker` run what is deployed.",
    "prefect.schedules": "nadi.schedules has Cron, Interval, RRule, daily, hourly, weekly and Dates.",
    "prefect.serializers": 'name it instead: result_serializer="json" or "pickle".',
    "prefect.server": "there is no server.",
    "prefect.server.schemas.schedules": "nadi.schedules has Cron, Interval and RRule.",
    "prefect.settings": "settings are environment variables, NADI_...; docs/reference/settings.md lists them.",
    "prefect.storage": "code is not packed for a run; the flow is loaded from its file.",
    "prefect.tasks": "there is no library of tasks: call the library that it wrapped in a task of your own.",
    "prefect.tasks.prefect": "call the other flow: it becomes a subflow.",
    "prefect.tasks.secrets": "use nadi.Secret with a value from the environment.",
    "prefect.tasks.shell": "call subprocess.run(..., check=True) in a task of your own.",
    "prefect.utilities.notifications": "send the message in a hook or state handler, such as on_failure=.",
    "prefect.utilities.tasks.defaults_from_attrs": "take what is None from self at the beginning of run().",
    "prefect.workers": "`nadi worker` starts a process for each run; there are no classes to derive from.",
    "prefect_": "it needs Prefect: call the library that it wraps in a task of your own.",
    "prefect_dask": 'Dask is not here yet; executor="thread" or executor="process" runs on this machine.',
    "prefect_ray": 'Ray is not here yet; executor="thread" or executor="process" runs on this machine.',
    "prefect_shell": "call subprocess.run(..., check=True) in a task of your own.",
}


class Found(NamedTuple):
    """Where something is found: a name in a module, or, where `name` is "", the module itself."""

    module: str
    name: str

    @property
    def dotted(self) -> str:
        """The full name."""
        return f"{self.module}.{self.name}" if self.name else self.module

    @property
    def last(self) -> str:
        """The last part of the full name."""
        return self.dotted.rpartition(".")[2]


def is_prefects(dotted: str) -> bool:
    """Whether a full name is one of Prefect's, or of a package that belongs to it."""
    first = dotted.partition(".")[0]
    return first == "prefect" or first.startswith("prefect_")


@cache
def find(dotted: str) -> Found | None:
    """Return where the thing of this full name of Prefect's is found here; `None` when it is not."""
    if dotted in RENAMED:
        module, _, name = RENAMED[dotted].rpartition(".")
        return Found(module, name)
    if dotted == "prefect":
        return Found("nadi", "")
    if not dotted.startswith("prefect."):
        return None
    parent, _, name = dotted.rpartition(".")
    if dotted.endswith(_REFUSED):
        return None
    for place in MODULES.get(parent, (_same_path(parent),)):
        looked_into = _module(place)
        if looked_into is not None and name in public_names(looked_into):
            return Found(place, name)
    for place in MODULES.get(dotted, (_same_path(dotted),)):
        if place != "nadi" and _module(place) is not None:
            return Found(place, "")
    return None


def _same_path(dotted: str) -> str:
    return "nadi" + dotted.removeprefix("prefect")


def public_names(module: ModuleType) -> set[str]:
    """What a module offers."""
    if hasattr(module, "__all__"):
        return set(module.__all__)
    return {
        name for name, value in vars(module).items() if not name.startswith("_") and not isinstance(value, ModuleType)
    }


def _module(dotted: str) -> ModuleType | None:
    parts = dotted.split(".")
    listed = {place for places in MODULES.values() for place in places}
    if len(parts) > 1 and parts[1] in _INTERNAL and dotted not in listed:
        return None
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError as error:
        if error.name is not None and (dotted == error.name or dotted.startswith(error.name + ".")):
            return None
        raise


def advice_for(dotted: str) -> str:
    """Return what serves instead of something that is not here."""
    return ADVICE[max((start for start in ADVICE if dotted.startswith(start)), key=len)]
