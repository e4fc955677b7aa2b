"""Two servers on one store fire its schedules; one of them is killed: each instant has one run, none is early."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nadi.model.runs import RunFilter
from nadi.model.schedules import DatesRule, Schedule
from nadi.model.ticks import Tick
from nadi.storage.contract import Store
from nadi.storage.opening import open_store
from tests.journeys.far_servers import ServerProcess
from tests.journeys.places import until
from tests.postgres import server
from tests.storage.deploying import a_version


class OfAnother(ServerProcess):
    """A server over the store of another one."""

    def __init__(self, first: ServerProcess) -> None:
        self.place, self._options, self._process, self.port = first.place, (), None, 0


def deploy(store: Store, count: int, instant_of: Callable[[int], float]) -> dict[str, float]:
    """Deploy `count` schedules of one instant each, in the order of the instants; returns these by deployment."""
    instants: dict[str, float] = {}
    for n in range(count):
        now = time.time()
        at = datetime.fromtimestamp(round(instant_of(n), 3), UTC)
        instants[f"d{n:04}"] = at.timestamp()
        rule = DatesRule(dates=(at,))
        store.deployments.deploy(a_version(f"d{n:04}", Schedule(rule=rule), digest=f"{n}"), now=now)
    return instants


def ticks_of(store: Store, deployments: dict[str, float]) -> list[Tick]:
    return [tick for name in deployments for tick in store.schedules.ticks(name)]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return server().fresh(owner=tmp_path) if request.param == "postgres" else ""


@pytest.fixture
def servers(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ServerProcess]]:
    monkeypatch.setenv("NADI_DATABASE_URL", url)
    first = ServerProcess(tmp_path / "place")
    both = [first, OfAnother(first)]
    with first.place:
        yield both


def fire_with_one_killed(
    servers: list[ServerProcess], url: str, *, count: int, instant_of: Callable[[int], float]
) -> list[float]:
    """Return by how many seconds each instant was fired late, in order; a server is killed in their middle or later."""
    for one in servers:
        one.start()
    store = open_store(url, home=servers[0].place.home)
    try:
        instants = deploy(store, count, instant_of)
        in_order = sorted(instants.values())
        until(lambda: time.time() > in_order[count // 2], 120.0)
        servers[0].kill()
        until(lambda: time.time() > in_order[-1], 120.0)
        until(lambda: len(store.flow_runs(RunFilter(), limit=2 * count)) == count)

        ticks = ticks_of(store, instants)
        runs = store.flow_runs(RunFilter(), limit=2 * count)
    finally:
        store.close()
        servers[1].stop()
    assert {tick.deployment: tick.instant for tick in ticks} == instants
    assert Counter(tick.run for tick in ticks) == Counter(run.id for run in runs)  # each its own, and no others
    return sorted(tick.at - tick.instant for tick in ticks)


def test_each_instant_is_fired_once_and_none_early_while_one_of_two_servers_is_killed(
    servers: list[ServerProcess], url: str
) -> None:
    late = fire_with_one_killed(servers, url, count=100, instant_of=lambda n: time.time() + 1.0)

    assert late[0] >= 0.0


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_a_thousand_schedules_within_a_minute_are_each_fired_once_and_none_early(
    servers: list[ServerProcess], url: str
) -> None:
    begin = time.time() + 60.0  # deploying them takes a while

    late = fire_with_one_killed(servers, url, count=1000, instant_of=lambda n: begin + n * 55.0 / 1000)

    print(f"late: median {late[500] * 1000:.1f} ms, p99 {late[990] * 1000:.1f} ms, most {late[-1] * 1000:.1f} ms")
    assert late[0] >= 0.0
