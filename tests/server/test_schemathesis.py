"""The whole API, asked with what its own description allows and what it does not: no 500, nothing undocumented."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from nadi import flow, get_run_logger, task
from nadi.artifacts import create_markdown_artifact
from nadi.engine import logs, recording
from nadi.engine.access import add_key, add_user
from nadi.model.access import Role
from nadi.model.runs import RunFilter
from nadi.storage.recorder import DirectRecorder
from tests.server.serving import Served, serving
from tests.storage.conftest import STORES

#: Whoever asks; "" is nobody.
CALLERS = ["", *Role]
#: What every answer is checked for.
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
#: They wait for what is to come; tested elsewhere.
WAITING = {"/api/stream", "/api/store/runs/wait_for_change"}


@task
def double(x: int) -> int:
    get_run_logger().info("doubling %s", x)
    return 2 * x


@flow
def recorded_flow(x: int = 1) -> int:
    create_markdown_artifact("# <script>alert(1)</script>", key="report")
    return double(x)


@pytest.fixture(params=["sqlite"])
def lived_in(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """A server over a store in which something is recorded."""
    store = STORES[request.param](tmp_path)
    logs.configure("INFO", console=False)
    with recording.recording_to(DirectRecorder(store, "test")):
        recorded_flow()
    with contextlib.closing(store), serving(store, tmp_path / "home-of-the-server") as served:
        yield served


def key_of(server: Served, role: Role) -> str:
    table = server.context.store.access
    add_user(table, f"{role}-of-a-test", role=role, password="", now=time.time())
    return add_key(table, "test", user=f"{role}-of-a-test", scopes=(), lasts=3600.0, now=time.time()).text


def real_ids(server: Served) -> dict[str, list[str]]:
    """What stands for parts of paths, beside what is made up."""
    store = server.context.store
    (run,) = store.overview.page(RunFilter(), limit=1).runs
    (task_run,) = store.task_runs(run.id)
    return {
        "run": [run.id],
        "task_run": [task_run.id],
        "task": [task_run.id],
        "flow": [run.flow],
        "artifact": [one.id for one in store.artifacts(root=run.id)],
        "name": [user.name for user in store.access.users()],
    }


def ask_everything(server: Served, caller: str, *, examples: int, seed: int, store_calls: bool = True) -> int:
    """Ask each route some times, with or without the store's own calls; returns how many routes."""
    token = key_of(server, Role(caller)) if caller else ""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    described = server.client.get("/api/openapi.json").json()
    schema = schemathesis.openapi.from_dict(described)
    ids, asked = real_ids(server), 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if operation.path in WAITING or (not store_calls and operation.path.startswith("/api/store/")):
            continue
        asked += 1

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate],
        )
        @hypothesis.given(case=operation.as_strategy(), data=st.data())
        def ask(case: Any, data: st.DataObject) -> None:
            for name in case.path_parameters or {}:
                if ids.get(name) and data.draw(st.booleans()):
                    case.path_parameters[name] = data.draw(st.sampled_from(ids[name]))
            case.call_and_validate(base_url=server.url, headers=headers, checks=CHECKS)

        ask()
    return asked


@pytest.mark.parametrize("caller", CALLERS)
def test_no_request_leads_to_a_500_or_to_an_answer_that_is_not_described(lived_in: Served, caller: str) -> None:
    is_admin = caller == "admin"
    asked = ask_everything(lived_in, caller, examples=2 if is_admin else 1, seed=4, store_calls=is_admin)

    assert asked > 20


@pytest.mark.soak
@pytest.mark.parametrize("lived_in", ["postgres"], indirect=True)
def test_nor_does_it_on_postgresql(lived_in: Served) -> None:
    asked = ask_everything(lived_in, "admin", examples=2, seed=4)

    assert asked > 20


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("lived_in", ["memory", "sqlite", "postgres"], indirect=True)
@pytest.mark.parametrize("caller", CALLERS)
def test_no_request_of_very_many_does_either(lived_in: Served, caller: str) -> None:
    asked = ask_everything(lived_in, caller, examples=100, seed=time.time_ns())

    assert asked > 20
