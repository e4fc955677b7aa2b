"""The server shows what was recorded, and never loads it."""

from __future__ import annotations

import http.client
import pickle
from pathlib import Path
from typing import Any

import nadi.server
from nadi import flow, task
from nadi.server.api import endpoints
from tests.conftest import Recorded
from tests.server.conftest import Serve
from tests.server.serving import PATIENCE, Served

#: Who loaded a `Trap`.
loaded: list[str] = []


def spring(where: str) -> Trap:
    loaded.append(where)
    return Trap(where)


class Trap:
    """Tells when it is unpickled."""

    def __init__(self, where: str) -> None:
        self.where = where

    def __reduce__(self) -> tuple[Any, ...]:
        return spring, (self.where,)


class TrapError(Exception):
    def __reduce__(self) -> tuple[Any, ...]:
        return spring, ("an exception",)


@task
def gives() -> Trap:
    return Trap("a result")


@task
def fails() -> None:
    raise TrapError("boom")


@task(persist_result=True)
def large() -> list[object]:
    return [Trap("a file"), bytes(100_000)]


@flow(flow_run_name="trapped")
def trapped(given: object) -> Trap:
    gives()
    large()
    fails(return_state=True)
    return Trap("the flow's result")


def ask(server: Served, method: str, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        connection.request(method, path, headers={"Authorization": f"Bearer {server.context.install_token}"})
        response = connection.getresponse()
        if response.getheader("content-type", "").startswith("text/event-stream"):
            response.read1(4096)
        else:
            response.read()
        return response.status
    finally:
        connection.close()


def test_no_route_loads_what_was_recorded(recorded: Recorded, serve: Serve) -> None:
    trapped(Trap("an argument"))
    root = recorded.root
    server = serve(recorded.store)
    assert {run.state_name for run in recorded.task_runs} == {"Completed", "Failed"}
    loaded.clear()

    asked = {}
    for which in [root.id, *(run.id for run in recorded.task_runs)]:
        for endpoint in endpoints():
            if endpoint.method == "GET":
                path = endpoint.path.replace(":path}", "}")
                for part in endpoint.parts:
                    path = path.replace(f"{{{part}}}", which)
                asked[path] = ask(server, "GET", path)

    assert loaded == []
    assert asked[f"/api/flow-runs/{root.id}"] == 200
    assert [path for path, status in asked.items() if status >= 500] == []


def test_the_trap_springs_when_it_is_loaded() -> None:
    loaded.clear()

    pickle.loads(pickle.dumps([Trap("a list")]))

    assert loaded == ["a list"]


def test_the_code_of_the_server_names_nothing_that_evaluates_text() -> None:
    folder = Path(nadi.server.__file__).parent
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))

    assert [word for word in ("pickle", "eval(", "exec(", "jinja", "Template(", "marshal") if word in text] == []
