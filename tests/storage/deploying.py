"""Short ways to deploy and to ask for runs, for tests of stores."""

from __future__ import annotations

from typing import Any

from nadi.model.deployments import DeploymentSpec, DeploymentVersion, FolderSource
from nadi.model.runs import Attempt, FlowRun
from nadi.model.schedules import IntervalRule, Schedule
from nadi.model.ticks import Backfill, Firing, NewTick, StandingSchedule, TickOutcome
from nadi.model.work import NewRun, Work
from nadi.storage.contract import Store
from tests.storage.telling import T0, S, an_id, flow_begun

HOST = "here"
NIGHTLY = "nightly"


def a_version(name: str = NIGHTLY, *schedules: Schedule, digest: str = "a", **spec: Any) -> DeploymentVersion:
    fields: dict[str, Any] = {
        "flow": "etl",
        "entrypoint": "etl.py:etl",
        "source": FolderSource(path="/code", host=HOST),
    } | spec
    return DeploymentVersion(
        deployment=name,
        number=0,
        spec=DeploymentSpec(name=name, schedules=schedules, **fields),
        digest=digest,
        created=T0,
        by="ada",
    )


def every(seconds: float = 60.0, name: str = "", **fields: Any) -> Schedule:
    return Schedule(rule=IntervalRule(seconds=seconds), name=name, **fields)


def a_run(n: int, deployment: str = NIGHTLY, **fields: Any) -> NewRun:
    """Return the n-th run, asked for at T0 + n."""
    id = fields.pop("run", an_id(n))
    record = flow_begun(id, state=S.SCHEDULED, holder="", at=T0 + n, flow="etl", name=f"run-{n}")
    values: dict[str, Any] = {"run": id, "deployment": deployment, "version": 1, "due": T0}
    return NewRun(record=record, work=Work(**values | fields))


def enqueue(store: Store, *runs: NewRun) -> None:
    made = store.work.enqueue(runs)
    assert all(one.made for one in made)


def take(
    store: Store, worker: str = "w1", *queues: str, limit: int = 1, now: float = T0, host: str = HOST
) -> list[str]:
    taken = store.work.take(worker, host=host, queues=queues, now=now, limit=limit)
    assert all((work.worker, work.assigned) == (worker, now) for work in taken)
    return [work.run for work in taken]


def the_work(store: Store, run: str) -> Work:
    return store.work.work([run])[run]


def the_run(store: Store, run: str) -> FlowRun:
    found = store.flow_run(run)
    assert found is not None
    return found


def told(attempts: list[Attempt]) -> list[tuple[int, int, str]]:
    return [(one.attempt, one.token, str(one.state_type)) for one in attempts]


def counted(store: Store) -> dict[str, int]:
    """Return how many runs of the flow are in which state, as the overview counts them."""
    found = store.overview.flow("etl")
    return {} if found is None else found.runs


def the_schedule(store: Store, name: str = "", deployment: str = NIGHTLY) -> StandingSchedule:
    [found] = [one for one in store.schedules.schedules(deployment=deployment) if one.name == name]
    return found


def firing(store: Store, *ticks: NewTick, name: str = "", deployment: str = NIGHTLY, **fields: Any) -> Firing:
    """Return what is decided of a schedule as it stands: with these ticks it gets as far as the last of them."""
    standing = the_schedule(store, name, deployment)
    last = ticks[-1].instant if ticks else standing.cursor
    values: dict[str, Any] = {
        "deployment": deployment,
        "schedule": name,
        "seen_cursor": standing.cursor,
        "seen_version": standing.version,
        "cursor": last,
        "next": last + 60.0,
        "ticks": ticks,
    }
    return Firing(**values | fields)


def a_tick(n: int, run: NewRun | None = None, **fields: Any) -> NewTick:
    """Return the tick at T0 + 60 n: with a run if one is given, otherwise missed."""
    outcome = TickOutcome.MISSED if run is None else TickOutcome.RUN
    values: dict[str, Any] = {"instant": T0 + 60.0 * n, "outcome": outcome, "run": run}
    return NewTick(**values | fields)


def a_backfill(n: int = 900, **fields: Any) -> Backfill:
    values: dict[str, Any] = {
        "id": an_id(n),
        "deployment": NIGHTLY,
        "schedule": "",
        "version": 1,
        "rule": Schedule(rule=IntervalRule(seconds=60.0)),
        "since": T0 - 600,
        "until": T0,
        "total": 10,
        "created": T0,
        "by": "ada",
        "parameters": {"day": "monday"},
    }
    return Backfill(**values | fields)
