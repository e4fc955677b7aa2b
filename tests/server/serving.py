"""Serving a store from a thread of the test, and asking it."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nadi.server.configuration import Configuration
from nadi.server.context import Context
from nadi.server.running import HttpServer, bound_socket, tls_context
from nadi.server.starting import closing_context, make_context, make_server
from nadi.storage.contract import Store
from nadi.storage.home import Home, this_holder
from nadi.storage.results import LocalResults

#: Seconds that a test waits for an answer before it calls it missing.
PATIENCE = 30.0


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Asks a server; each request on a connection of its own.

    Header names of answers are lower case; of those that come several times the last one is told.
    """

    def __init__(self, port: int, *, token: str = "", host: str = "127.0.0.1", tls: ssl.SSLContext | None = None):
        self.port, self.token, self.host, self.tls = port, token, host, tls

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        told = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if json is not None:
            data = _json(json)
            told["Content-Type"] = "application/json"
        connection = self.connection()
        try:
            connection.request(method, path, body=data, headers={**told, **(headers or {})})
            response = connection.getresponse()
            body = response.read()
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
        finally:
            connection.close()

    def connection(self) -> http.client.HTTPConnection:
        """A connection for what `request` cannot say; to be closed."""
        if self.tls is not None:
            return http.client.HTTPSConnection(self.host, self.port, timeout=PATIENCE, context=self.tls)
        return http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)

    def get(self, path: str, **more: Any) -> Answer:
        return self.request("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> Answer:
        return self.request("POST", path, json=json, **more)

    def put(self, path: str, json: Any = None, **more: Any) -> Answer:
        return self.request("PUT", path, json=json, **more)

    def delete(self, path: str, **more: Any) -> Answer:
        return self.request("DELETE", path, **more)

    def with_token(self, token: str) -> Client:
        """The same client with other credentials; "" for none."""
        return Client(self.port, token=token, host=self.host, tls=self.tls)


@dataclass(frozen=True)
class Served:
    """A running server."""

    context: Context
    server: HttpServer
    port: int
    #: With the install token, and without credentials.
    client: Client
    anonymous: Client
    thread: threading.Thread

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.context.configuration.base_path}"

    def stop(self) -> None:
        """Ask it to end and wait until it has."""
        self.server.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive(), "the server did not end"


@contextmanager
def serving(store: Store, home: Path, **configuration: Any) -> Iterator[Served]:
    """Serve a store in a thread, on a free port."""
    given = Configuration(**{"port": 0, "services": False, **configuration})
    context = make_context(
        store, Home(home), LocalResults(home / "results"), given, this_holder("server-of-a-test"), now=time.time()
    )
    with closing_context(context):
        server, listener = make_server(context, tls_context(given)), bound_socket(given)
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, args=([listener],), name="server-of-a-test", daemon=True)
        thread.start()
        tls = _trusting(given.certificate) if given.certificate else None
        anonymous = Client(port, tls=tls)
        served = Served(context, server, port, anonymous.with_token(context.install_token), anonymous, thread)
        try:
            yield served
        finally:
            served.stop()


def wait_until(condition: Any, *, patience: float = PATIENCE) -> None:
    """Wait until `condition()` is true, or fail."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.01)


def _trusting(certificate: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    return context


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
