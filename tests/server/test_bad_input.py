"""Whatever is sent: one sentence and a status of the caller's, never a fault of ours; and text stays text."""

from __future__ import annotations

import json
import os
import random
import socket
from typing import Any

import msgspec
import pytest

from nadi.server.api import endpoints
from nadi.server.routing import ANYONE, Endpoint
from tests.server.serving import PATIENCE, Answer, Client, Served
from tests.storage.telling import (
    S,
    Writer,
    a_call,
    an_id,
    artifact_made,
    asset_made,
    event_emitted,
    flow_begun,
    flow_moved,
    log_line,
    metric_logged,
    task_begun,
    task_moved,
)

ROOT, CHILD, TASK = an_id(1), an_id(2), an_id(11)
#: What a stranger might hope that some page takes for markup.
SCRIPT = "<script>alert('x')</script>\"'&<img src=x onerror=alert(1)>{{7*7}}${7*7}"
JSON = "application/json"

#: Bodies that no route takes.
GARBAGE = [
    b"",
    b"\x00",
    b"\xff\xfe\x00",
    b"{",
    b"]",
    b'"',
    b"nul",
    b"NaN",
    b"[1e999]",
    b"9" * 5000,
    b"[" * 5000,
    b'{"a":' * 2000 + b"1" + b"}" * 2000,
    b'{"\\ud800": "\\udfff"}',
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>",
    b"flow=x&parameters=y",
]
#: Values of every kind, for every field.
VALUES: list[Any] = [
    None,
    True,
    -1,
    2**70,
    1e308,
    "",
    "x" * 2000,
    "\x00",
    SCRIPT,
    [],
    [[]],
    {},
    {"a": {}},
    "../..",
    "--",
]


def bodied() -> list[Endpoint]:
    """The routes that read a JSON body, but those by which one logs in."""
    return [one for one in endpoints() if one.reads_json and one.permission is not ANYONE and JSON in one.takes]


def path_of(endpoint: Endpoint) -> str:
    return "/".join(ROOT if part.startswith("{") else part for part in endpoint.path.split("/"))


def send(client: Client, endpoint: Endpoint, body: bytes) -> Answer:
    return client.request(endpoint.method, path_of(endpoint), data=body, headers={"Content-Type": JSON})


def told(answer: Answer) -> str:
    """The sentence of a refusal, which is the caller's to mend."""
    assert 400 <= answer.status < 500, (answer.status, answer.body)
    assert answer.headers["content-type"] == "application/problem+json"
    sentence = answer.json()["detail"]
    assert isinstance(sentence, str)
    assert 0 < len(sentence) < 1000
    assert sentence.endswith(".")
    return sentence


def test_garbage_in_place_of_a_body_is_refused_by_every_route(server: Served) -> None:
    for endpoint in bodied():
        for body in GARBAGE:
            answer = send(server.client, endpoint, body)

            assert 400 <= answer.status < 500, (endpoint.method, endpoint.path, body[:40], answer.body)


@pytest.mark.parametrize("path", ["/api/flow-runs", f"/api/flow-runs/{ROOT}/cancel", f"/api/flow-runs/{ROOT}/retry"])
def test_fields_of_a_wrong_type_are_refused_with_their_place(server: Served, path: str) -> None:
    good: dict[str, dict[str, Any]] = {
        "/api/flow-runs": {"flow": "nightly", "parameters": {}, "name": "", "tags": []},
        f"/api/flow-runs/{ROOT}/cancel": {"force": False, "grace": 1},
        f"/api/flow-runs/{ROOT}/retry": {"task_run": TASK},
    }
    for field in good[path]:
        for value in VALUES:
            # Nothing of this name is there, so that even what could be meant does nothing.
            told(server.client.post(path, {**good[path], field: value}))


def test_fields_of_random_kinds_are_never_a_fault_of_ours(server: Served) -> None:
    chance = random.Random(7)
    for endpoint in bodied():
        fields = [field.encode_name for field in _fields(endpoint.body)]
        for _ in range(6):
            body = {name: chance.choice(VALUES) for name in fields if chance.random() < 0.8}
            answer = send(server.client, endpoint, json.dumps(body).encode())

            assert answer.status < 500, (endpoint.method, endpoint.path, body, answer.body)


def _fields(kind: Any) -> list[Any]:
    return list(msgspec.structs.fields(kind)) if hasattr(kind, "__struct_fields__") else []


def test_a_hundred_megabytes_are_refused_before_they_are_read(server: Served) -> None:
    head = (
        f"POST /api/flow-runs HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: {JSON}\r\n"
        f"Authorization: Bearer {server.client.token}\r\nContent-Length: {100 * 2**20}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(head.encode())  # and nothing of the body

        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_hundred_megabytes_in_pieces_are_refused_and_take_no_memory(server: Served) -> None:
    head = (
        f"POST /api/flow-runs HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: {JSON}\r\n"
        f"Authorization: Bearer {server.client.token}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    piece = b"10000\r\n" + b"[" * 0x10000 + b"\r\n"
    before = pages_in_memory()
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(head.encode())
        for _ in range(100 * 2**20 // 0x10000):
            connection.sendall(piece)
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert (pages_in_memory() - before) * os.sysconf("SC_PAGE_SIZE") < 20 * 2**20


def pages_in_memory() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1])


def a_run_of_scripts() -> list[Any]:
    """A run that bears a script in everything that it can bear one in."""
    return [
        flow_begun(
            ROOT,
            flow=SCRIPT,
            name=SCRIPT,
            tags=(SCRIPT,),
            parameters=json.dumps({SCRIPT: SCRIPT}).encode(),
            version=SCRIPT,
            description=SCRIPT,
            holder=SCRIPT,
            source=json.dumps({"entrypoint": SCRIPT, "host": SCRIPT, "command_line": [SCRIPT]}).encode(),
        ),
        flow_begun(ROOT, id=CHILD, parent=ROOT, flow=SCRIPT, name=SCRIPT, call=a_call(ROOT, 1)),
        task_begun(ROOT, TASK, task=SCRIPT, name=SCRIPT, tags=(SCRIPT,), reason=SCRIPT),
        task_moved(ROOT, TASK, S.FAILED, state_name=SCRIPT, message=SCRIPT, detail=SCRIPT),
        log_line(ROOT, SCRIPT, logger=SCRIPT, task=TASK),
        artifact_made(ROOT, an_id(21), key=SCRIPT, description=SCRIPT, data=json.dumps(SCRIPT).encode()),
        metric_logged(ROOT, SCRIPT, 1.0),
        event_emitted(ROOT, an_id(40), event=SCRIPT, payload=json.dumps({SCRIPT: SCRIPT}).encode()),
        asset_made(ROOT, an_id(50), f"s3://lake/{SCRIPT}", tool=SCRIPT),
        flow_moved(ROOT, S.FAILED, message=SCRIPT, detail=SCRIPT),
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/api/flow-runs",
        f"/api/flow-runs/{ROOT}",
        f"/api/flow-runs/{ROOT}/task-runs",
        f"/api/flow-runs/{ROOT}/subflows",
        f"/api/flow-runs/{ROOT}/graph",
        f"/api/flow-runs/{ROOT}/timeline",
        f"/api/flow-runs/{ROOT}/logs",
        f"/api/flow-runs/{ROOT}/artifacts",
        f"/api/flow-runs/{ROOT}/metrics",
        f"/api/flow-runs/{ROOT}/why",
        f"/api/task-runs/{TASK}",
        f"/api/task-runs/{TASK}/logs",
        f"/api/artifacts/{an_id(21)}",
        "/api/events",
        "/api/assets",
        "/api/flows",
    ],
)
def test_a_script_tag_comes_back_as_the_text_that_it_is(server: Served, path: str) -> None:
    Writer(server.context.store).tell(*a_run_of_scripts())

    answer = server.client.get(path)

    assert (answer.status, answer.headers["content-type"]) == (200, JSON)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src" in answer.headers["content-security-policy"]
    assert SCRIPT in json.dumps(answer.json(), ensure_ascii=False).replace('\\"', '"')


def test_a_script_tag_in_a_refusal_is_text_too(server: Served) -> None:
    for answer in (
        server.client.post("/api/flow-runs", {"flow": SCRIPT}),
        server.client.get("/api/flow-runs?parameter=%3Cscript%3E"),
        server.client.get("/api/flow-runs/%3Cscript%3E"),
        server.client.put("/api/variables/%3Cscript%3E", {"value": 1}),
    ):
        assert "<script>" in told(answer)
        assert answer.headers["x-content-type-options"] == "nosniff"
