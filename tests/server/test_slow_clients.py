"""Clients that are slow, or never come to an end."""

from __future__ import annotations

import asyncio
import socket

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.server import ServerState

from nadi.server import bodies, connection
from tests.server.serving import Served, wait_until

HEAD = b"POST /api/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture
def opened(server: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def test_a_body_that_stops_is_not_waited_for(
    server: Served, opened: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "PIECE", 0.05)

    with opened:
        token = f"Authorization: Bearer {server.client.token}\r\n".encode()
        opened.sendall(HEAD + token + b'Content-Length: 100\r\n\r\n{"name": ')
        answer = opened.recv(65536)

    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_drips_is_not_waited_for_either(
    server: Served, opened: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "WHOLE", 0.05)

    with opened:
        token = f"Authorization: Bearer {server.client.token}\r\n".encode()
        opened.sendall(HEAD + token + b'Content-Length: 100\r\n\r\n{"name": ')
        answer = opened.recv(65536)

    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_connection_that_never_tells_a_whole_request_is_closed(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_WITHIN", 0.1)

    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as dripping:
        dripping.sendall(b"GET /api/health HTTP/1.1\r\nHo")
        ended = dripping.recv(65536)

    assert ended == b""


def test_a_connection_with_a_request_lasts_for_as_long_as_that_takes_and_for_the_next(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_WITHIN", 0.2)
    kept = server.anonymous.connection()
    kept.connect()
    sock, answers = kept.sock, []

    for _ in range(3):
        kept.request("GET", "/api/health")
        answer = kept.getresponse()
        answer.read()
        answers.append((answer.status, kept.sock is sock))
    ended = sock.recv(65536)
    kept.close()

    assert answers == [(200, True)] * 3
    assert ended == b""


def test_a_client_that_takes_no_answer_holds_neither_its_connection_nor_the_answer(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "TAKEN_WITHIN", 0.05)
    server.context.describe = lambda: b'"' + b"x" * (16 << 20) + b'"'
    token = f"Authorization: Bearer {server.client.token}\r\n\r\n".encode()

    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as deaf:
        deaf.sendall(b"GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\n" + token)
        deaf.recv(1)
        wait_until(lambda: not server.server.server_state.connections)


class Halting:
    """A transport with an answer of which a piece is taken at each of the first looks."""

    def __init__(self) -> None:
        self.left, self.looks, self.ended = [3, 2, 1, 1], 0, False

    def get_write_buffer_size(self) -> int:
        self.looks += 1
        return self.left.pop(0)

    def abort(self) -> None:
        self.ended = True


def test_a_client_that_takes_an_answer_slowly_gets_it_as_long_as_it_goes_on(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "TAKEN_WITHIN", 0.0)
    transport = Halting()

    async def serve() -> None:
        protocol = connection.Connection(server.server.config, ServerState(), {})
        protocol.transport, protocol.flow = transport, FlowControl(transport)  # type: ignore[arg-type,assignment]
        protocol.pause_writing()
        while not transport.ended:
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(serve(), 30))

    assert transport.looks == 4
