"""The measurement of the server, small: that it asks for everything, and that its history is the same every time."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from benchmarks.processes import environment
from benchmarks.seeding import seed
from benchmarks.serving import HEALTH, NOT_MEASURED, calls, measure, seeded, told
from nadi.model.access import Permission
from nadi.model.runs import RunFilter
from nadi.server.api import endpoints
from nadi.storage.memory import MemoryStore
from tests.storage.telling import T0


def test_a_seeded_history_is_the_same_for_the_same_seed_and_as_large_as_asked_for() -> None:
    stores = [MemoryStore() for _ in range(2)]

    made = [seed(store, task_runs=1000, until=T0) for store in stores]

    assert made[0] == made[1]
    one, other = (store.flow_runs(RunFilter(), limit=1000) for store in stores)
    assert [(run.id, run.state_type, run.tags, run.parameters) for run in one] == [
        (run.id, run.state_type, run.tags, run.parameters) for run in other
    ]
    counts = stores[0].counts()
    assert (counts["task_runs"], len(one)) == (1000, 100)


def test_every_list_and_every_call_of_a_run_page_is_measured() -> None:
    asked = {path.partition("?")[0] for path in calls(seed(MemoryStore(), task_runs=1000, until=T0)).values()}

    missing = []
    for endpoint in endpoints():
        if endpoint.method == "GET" and endpoint.permission is Permission.READ and endpoint.path not in NOT_MEASURED:
            pattern = re.compile(re.sub(r"\\{.*?\\}", "[^/]+", re.escape(endpoint.path)))
            missing += [] if any(pattern.fullmatch(path) for path in asked) else [endpoint.path]

    assert missing == []


def test_a_server_is_asked_for_everything_and_watched_doing_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = environment(str(tmp_path))
    history, _ = seeded(env, 1000)

    found = measure("sqlite", env, history, times=1, idle=0.1, seeding=0.0)

    assert [call.what for call in found.calls] == list(calls(history))
    assert all(call.size_bytes > 0 for call in found.calls)
    assert found.start > 0
    assert found.held_bytes > 0
    table = told([found, msgspec.structs.replace(found, task_runs=1_000_000)])
    assert HEALTH in table
    assert max(map(len, table.splitlines())) <= 100
